// The chat page: one WebSocket that reconnects by itself.

const byId = (id) => document.getElementById(id);

// The delay before a reconnect, in milliseconds. It doubles with each failed attempt. Half of it
// is random, so that the clients of a restarted server do not all return at the same moment.
const MIN_DELAY = 500;
const MAX_DELAY = 10_000;

const MAX_MESSAGES = 500;

let socket = null;
let timer = null;
let attempts = 0;
let me = "";
let room = "";
let people = [];

function connect() {
  clearTimeout(timer);
  showState("connecting", "connecting");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const path = `/rooms/${encodeURIComponent(room)}?name=${encodeURIComponent(me)}`;
  const opened = new WebSocket(`${scheme}://${location.host}${path}`);
  socket = opened;
  opened.onopen = () => {
    attempts = 0;
  };
  opened.onmessage = (event) => handle(JSON.parse(event.data));
  opened.onclose = (event) => {
    if (socket === opened) reconnectLater(event);
  };
}

function reconnectLater(event) {
  people = [];
  showPeople();
  const longest = Math.min(MAX_DELAY, MIN_DELAY * 2 ** attempts);
  const delay = longest / 2 + Math.random() * (longest / 2);
  attempts += 1;
  const reason = event.reason ? `${event.reason}, ` : "";
  showState("waiting", `${reason}trying again`);
  timer = setTimeout(connect, delay);
}

function reconnectNow() {
  if (timer !== null && byId("state").dataset.state === "waiting") connect();
}

function handle(event) {
  switch (event.type) {
    case "welcome":
      people = event.people;
      showPeople();
      showState("connected", "connected");
      break;
    case "joined":
      people.push(event.name);
      showPeople();
      addNotice(`${event.name} joined`);
      break;
    case "left":
      people.splice(people.indexOf(event.name), 1);
      showPeople();
      addNotice(`${event.name} left`);
      break;
    case "said":
      addBubble(event.name, event.text, false);
      break;
  }
}

function say(event) {
  event.preventDefault();
  const input = byId("text");
  const text = input.value.trim();
  if (!text || byId("state").dataset.state !== "connected") return;
  socket.send(JSON.stringify({ type: "say", text }));
  addBubble(me, text, true);
  input.value = "";
}

function enter(event) {
  event.preventDefault();
  me = byId("name").value.trim();
  room = byId("room").value.trim();
  if (!me || !room) {
    byId("problem").textContent = "Enter a name and a room.";
    byId("problem").hidden = false;
    return;
  }
  byId("problem").hidden = true;
  sessionStorage.setItem("name", me);
  history.replaceState(null, "", `#${encodeURIComponent(room)}`);
  document.title = `${room} · harpia chat`;
  byId("title").textContent = `# ${room}`;
  byId("messages").replaceChildren();
  byId("entrance").hidden = true;
  byId("chat").hidden = false;
  byId("text").focus();
  attempts = 0;
  connect();
}

function leave() {
  clearTimeout(timer);
  const left = socket;
  socket = null;
  left?.close(1000, "left");
  byId("chat").hidden = true;
  byId("entrance").hidden = false;
  byId("name").focus();
}

function showState(state, text) {
  byId("state").dataset.state = state;
  byId("state").textContent = text;
  byId("send").disabled = state !== "connected";
}

function showPeople() {
  byId("count").textContent = people.length ? `(${people.length})` : "";
  const sorted = [...people].sort((a, b) => a.localeCompare(b));
  byId("people").replaceChildren(...sorted.map((name) => {
    const item = element("li", "person");
    item.append(badge(name), name);
    return item;
  }));
}

function addBubble(name, text, own) {
  const item = element("li", own ? "bubble own" : "bubble");
  const head = element("header");
  const strong = element("strong", "", own ? "you" : name);
  strong.style.setProperty("--hue", hue(name));
  const now = new Date();
  const clock = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const time = element("time", "", clock);
  time.dateTime = now.toISOString();
  head.append(strong, time);
  item.append(head, element("p", "", text));
  add(item);
}

function addNotice(text) {
  add(element("li", "notice", text));
}

/** Appends to the conversation, and scrolls along unless the reader has scrolled back. */
function add(item) {
  const list = byId("messages");
  const view = list.parentElement;
  const wasAtEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 80;
  list.append(item);
  while (list.children.length > MAX_MESSAGES) list.firstChild.remove();
  if (wasAtEnd || item.classList.contains("own")) view.scrollTop = view.scrollHeight;
}

function badge(name) {
  const mark = element("span", "badge", [...name][0].toUpperCase());
  mark.setAttribute("aria-hidden", "true");
  mark.style.setProperty("--hue", hue(name));
  return mark;
}

/** Returns a hue for a name. Names that differ by one letter get clearly different colors. */
function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return String((sum * 137) % 360);
}

/** Creates an element. The text is set as text, never parsed as HTML. */
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

byId("enter").addEventListener("submit", enter);
byId("say").addEventListener("submit", say);
byId("leave").addEventListener("click", leave);
window.addEventListener("online", reconnectNow);
document.addEventListener("visibilitychange", () => document.hidden || reconnectNow());

byId("name").value = sessionStorage.getItem("name") ?? "";
byId("room").value = decodeURIComponent(location.hash.slice(1)) || "lobby";
byId("name").focus();
