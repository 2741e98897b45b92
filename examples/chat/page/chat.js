// The chat's page: one WebSocket, which comes back by itself.

const at = (id) => document.getElementById(id);

// Of all tries the first is made soon, the later ones ever more slowly, none all at once.
const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 10_000;

let socket = null;
let retry = null;
let tries = 0;
let me = "";
let room = "";
let people = [];

function connect() {
  clearTimeout(retry);
  show("connecting", "connecting");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const path = `/rooms/${encodeURIComponent(room)}?name=${encodeURIComponent(me)}`;
  const opened = new WebSocket(`${scheme}://${location.host}${path}`);
  socket = opened;
  opened.onopen = () => {
    tries = 0;
  };
  opened.onmessage = (event) => handle(JSON.parse(event.data));
  opened.onclose = (event) => {
    if (socket === opened) wait(event);
  };
}

function wait(event) {
  people = [];
  showPeople();
  const longest = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** tries);
  const pause = longest / 2 + Math.random() * (longest / 2);
  tries += 1;
  const why = event.reason ? `${event.reason}, ` : "";
  show("waiting", `${why}trying again`);
  retry = setTimeout(connect, pause);
}

function retryNow() {
  if (retry !== null && at("state").dataset.state === "waiting") connect();
}

function handle(event) {
  switch (event.type) {
    case "welcome":
      people = event.people;
      showPeople();
      show("connected", "connected");
      break;
    case "joined":
      people.push(event.name);
      showPeople();
      notice(`${event.name} came in`);
      break;
    case "left":
      people.splice(people.indexOf(event.name), 1);
      showPeople();
      notice(`${event.name} left`);
      break;
    case "said":
      bubble(event.name, event.text, false);
      break;
  }
}

function say(event) {
  event.preventDefault();
  const input = at("text");
  const text = input.value.trim();
  if (!text || at("state").dataset.state !== "connected") return;
  socket.send(JSON.stringify({ type: "say", text }));
  bubble(me, text, true);
  input.value = "";
}

function enter(event) {
  event.preventDefault();
  me = at("name").value.trim();
  room = at("room").value.trim();
  if (!me || !room) {
    at("problem").textContent = "A name and a room, please.";
    at("problem").hidden = false;
    return;
  }
  at("problem").hidden = true;
  sessionStorage.setItem("name", me);
  history.replaceState(null, "", `#${encodeURIComponent(room)}`);
  document.title = `${room} · harpia chat`;
  at("title").textContent = `# ${room}`;
  at("messages").replaceChildren();
  at("entrance").hidden = true;
  at("chat").hidden = false;
  at("text").focus();
  tries = 0;
  connect();
}

function leave() {
  clearTimeout(retry);
  const left = socket;
  socket = null;
  left?.close(1000, "left");
  at("chat").hidden = true;
  at("entrance").hidden = false;
  at("name").focus();
}

function show(state, text) {
  at("state").dataset.state = state;
  at("state").textContent = text;
  at("send").disabled = state !== "connected";
}

function showPeople() {
  at("count").textContent = people.length ? `(${people.length})` : "";
  const sorted = [...people].sort((a, b) => a.localeCompare(b));
  at("people").replaceChildren(...sorted.map((name) => {
    const item = element("li", "person");
    item.append(badge(name), name);
    return item;
  }));
}

function bubble(name, text, own) {
  const item = element("li", own ? "bubble own" : "bubble");
  const head = element("header");
  const strong = element("strong", "", own ? "you" : name);
  strong.style.setProperty("--hue", hue(name));
  const now = new Date();
  const time = element("time", "", now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = now.toISOString();
  head.append(strong, time);
  item.append(head, element("p", "", text));
  add(item);
}

function notice(text) {
  add(element("li", "notice", text));
}

function add(item) {
  const list = at("messages");
  const view = list.parentElement;
  const wasAtEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 80;
  list.append(item);
  while (list.children.length > 500) list.firstChild.remove();
  if (wasAtEnd || item.classList.contains("own")) view.scrollTop = view.scrollHeight;
}

function badge(name) {
  const mark = element("span", "badge", [...name][0].toUpperCase());
  mark.setAttribute("aria-hidden", "true");
  mark.style.setProperty("--hue", hue(name));
  return mark;
}

function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  // Names that differ by a letter get colours that differ at a glance.
  return String((sum * 137) % 360);
}

// Text goes in as text, never as HTML.
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

at("enter").addEventListener("submit", enter);
at("say").addEventListener("submit", say);
at("leave").addEventListener("click", leave);
window.addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => document.hidden || retryNow());

at("name").value = sessionStorage.getItem("name") ?? "";
at("room").value = decodeURIComponent(location.hash.slice(1)) || "lobby";
at("name").focus();
