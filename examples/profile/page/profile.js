// The profile page: shows the login form, or the profile and the updates from its WebSocket.

const byId = (id) => document.getElementById(id);

// The delay before a reconnect, in milliseconds. It doubles with each failed attempt. Half of it
// is random, so that the clients of a restarted server do not all return at the same moment.
const MIN_DELAY = 500;
const MAX_DELAY = 10_000;

const MAX_UPDATES = 100;

let attempts = 0;
let socket = null;
let timer = null;

async function start() {
  if (await showProfile()) connect();
}

/** Shows the profile if there is a session, the login form if not. Returns whether there is one. */
async function showProfile() {
  const response = await fetch("/profile");
  if (!response.ok) {
    showLogin();
    return false;
  }
  const profile = await response.json();
  byId("name").value = profile.name;
  byId("user").textContent = profile.name;
  byId("role").textContent = profile.role;
  byId("login").hidden = true;
  byId("profile").hidden = false;
  return true;
}

function showLogin() {
  clearTimeout(timer);
  socket?.close();
  socket = null;
  byId("profile").hidden = true;
  byId("login").hidden = false;
  byId("email").focus();
}

async function logIn(event) {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(byId("login")));
  const response = await fetch("/login", { method: "POST", body });
  byId("wrong").textContent = response.ok ? "" : await response.text();
  byId("wrong").hidden = response.ok;
  byId("password").value = "";
  if (response.ok) start();
}

function connect() {
  clearTimeout(timer);
  showState("connecting", "connecting");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = new WebSocket(`${scheme}://${location.host}/profile-updates`);
  socket = opened;
  opened.onmessage = (event) => {
    attempts = 0;
    // The first message is the greeting, every later one is an update.
    if (byId("state").dataset.state === "connected") return addUpdate(event.data);
    showState("connected", "connected");
    byId("welcome").textContent = event.data;
  };
  opened.onclose = (event) => {
    if (socket === opened) reconnectLater(event.reason);
  };
}

function reconnectLater(reason) {
  if (["Unauthorized", "Logged Out"].includes(reason)) return showLogin();
  const longest = Math.min(MAX_DELAY, MIN_DELAY * 2 ** attempts);
  attempts += 1;
  showState("waiting", "trying again");
  timer = setTimeout(connect, longest / 2 + Math.random() * (longest / 2));
}

function addUpdate(text) {
  const line = document.createElement("li");
  line.textContent = text;
  byId("updates").append(line);
  if (byId("updates").childElementCount > MAX_UPDATES) byId("updates").firstElementChild.remove();
  showProfile();
}

async function rename(event) {
  event.preventDefault();
  const response = await fetch("/profile", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(byId("name").value),
  });
  if (response.status === 401) return showLogin();
  byId("problem").textContent = response.ok ? "" : await response.text();
  byId("problem").hidden = response.ok;
}

function showState(state, text) {
  byId("state").dataset.state = state;
  byId("state").textContent = text;
}

byId("login").addEventListener("submit", logIn);
byId("rename").addEventListener("submit", rename);
start();
