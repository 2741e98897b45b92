// The page of tokens: gets one, and connects with it by three ways.

const at = (id) => document.getElementById(id);

// Known to this page for the first message and the query; the cookie is not.
let token = "";

const MOST_LINES = 100;

const server = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;

/** Opens a socket by each way. */
const ways = {
  "by-message": () => {
    const socket = new WebSocket(`${server}/by-message`);
    socket.addEventListener("open", () => socket.send(token));
    return socket;
  },
  "by-cookie": () => new WebSocket(`${server}/by-cookie`),
  "by-query": () => new WebSocket(`${server}/by-query?token=${encodeURIComponent(token)}`),
};

async function logIn(event) {
  event.preventDefault();
  const login = { name: at("name").value, seconds: Number(at("seconds").value) };
  const answer = await fetch("/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(login),
  });
  if (!answer.ok) {
    at("valid").textContent = "The server gave none.";
    return;
  }
  token = await answer.json();
  const until = new Date(Date.now() + login.seconds * 1000).toLocaleTimeString();
  at("valid").textContent = `${login.name} has a token that is valid until ${until}.`;
}

function setUp(id, open) {
  const way = at(id);
  way.append(at("way").content.cloneNode(true));
  const [state, log, form] = [".state", ".log", ".say"].map((part) => way.querySelector(part));
  const [input, send] = form.elements;
  const connect = way.querySelector(".connect");
  let socket = null;

  const show = (name, text) => {
    state.dataset.state = name;
    state.textContent = text;
    connect.disabled = name !== "closed";
    send.disabled = name !== "connected";
  };
  const note = (text) => {
    const line = document.createElement("li");
    line.textContent = text;
    log.append(line);
    if (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  };
  connect.onclick = () => {
    show("connecting", "connecting");
    socket = open();
    socket.addEventListener("message", (event) => {
      show("connected", "connected");
      note(event.data);
    });
    socket.addEventListener("close", (event) => {
      show("closed", "closed");
      note(`closed: ${event.code} ${event.reason}`);
    });
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    socket.send(text);
    note(`you: ${text}`);
    input.value = "";
  };
}

at("login").addEventListener("submit", logIn);
for (const [id, open] of Object.entries(ways)) setUp(id, open);
