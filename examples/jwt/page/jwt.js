// The token page: gets a token, and connects with it in three ways.

const byId = (id) => document.getElementById(id);

// The token for the first message and for the query. This page cannot read the cookie.
let token = "";

const MAX_LINES = 100;

const server = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;

/** The three ways to connect. Each function opens a WebSocket. */
const ways = {
  "by-message": () => {
    const socket = new WebSocket(`${server}/by-message`);
    socket.addEventListener("open", () => socket.send(token));
    return socket;
  },
  "by-cookie": () => new WebSocket(`${server}/by-cookie`),
  "by-query": () => new WebSocket(`${server}/by-query?token=${encodeURIComponent(token)}`),
};

async function getToken(event) {
  event.preventDefault();
  const login = { name: byId("name").value, seconds: Number(byId("seconds").value) };
  const response = await fetch("/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(login),
  });
  if (!response.ok) {
    byId("valid").textContent = `The server issued no token: status ${response.status}.`;
    return;
  }
  token = await response.json();
  const until = new Date(Date.now() + login.seconds * 1000).toLocaleTimeString();
  byId("valid").textContent = `${login.name} has a token that is valid until ${until}.`;
}

function setUp(id, open) {
  const way = byId(id);
  way.append(byId("way").content.cloneNode(true));
  const [state, log, form] = [".state", ".log", ".say"].map((part) => way.querySelector(part));
  const [input, send] = form.elements;
  const connect = way.querySelector(".connect");
  let socket = null;

  const showState = (name) => {
    state.dataset.state = name;
    state.textContent = name;
    connect.disabled = name !== "closed";
    send.disabled = name !== "connected";
  };
  const addLine = (text) => {
    const line = document.createElement("li");
    line.textContent = text;
    log.append(line);
    if (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  };
  connect.onclick = () => {
    showState("connecting");
    socket = open();
    socket.addEventListener("message", (event) => {
      showState("connected");
      addLine(event.data);
    });
    socket.addEventListener("close", (event) => {
      showState("closed");
      addLine(`closed: ${event.code} ${event.reason}`);
    });
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    socket.send(text);
    addLine(`you: ${text}`);
    input.value = "";
  };
}

byId("login").addEventListener("submit", getToken);
for (const [id, open] of Object.entries(ways)) setUp(id, open);
