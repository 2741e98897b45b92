// The profile's page: shows the form, or the profile and what its socket says.

const at = (id) => document.getElementById(id);

// The first try to come back is made soon, the later ones ever more slowly.
const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const MOST_UPDATES = 100;

let tries = 0;
let socket = null;
let retry = null;

async function start() {
  if (await showProfile()) connect();
}

/** Returns whether there is one. */
async function showProfile() {
  const answer = await fetch("/profile");
  if (!answer.ok) return logIn();
  const profile = await answer.json();
  at("name").value = profile.name;
  at("user").textContent = profile.name;
  at("role").textContent = profile.role;
  at("login").hidden = true;
  at("profile").hidden = false;
  return true;
}

function logIn() {
  clearTimeout(retry);
  socket?.close();
  socket = null;
  at("profile").hidden = true;
  at("login").hidden = false;
  at("email").focus();
}

async function send(event) {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(at("login")));
  const answer = await fetch("/login", { method: "POST", body });
  at("wrong").textContent = answer.ok ? "" : await answer.text();
  at("wrong").hidden = answer.ok;
  at("password").value = "";
  if (answer.ok) start();
}

function connect() {
  clearTimeout(retry);
  show("connecting", "connecting");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = new WebSocket(`${scheme}://${location.host}/profile-updates`);
  socket = opened;
  opened.onmessage = (event) => {
    tries = 0;
    if (at("state").dataset.state === "connected") return hear(event.data);
    show("connected", "connected");
    at("welcome").textContent = event.data;
  };
  opened.onclose = (event) => {
    if (socket === opened) wait(event.reason);
  };
}

function wait(reason) {
  if (["Unauthorized", "Logged Out"].includes(reason)) return logIn();
  const longest = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** tries);
  tries += 1;
  show("waiting", "trying again");
  retry = setTimeout(connect, longest / 2 + Math.random() * (longest / 2));
}

function hear(text) {
  const line = document.createElement("li");
  line.textContent = text;
  at("updates").append(line);
  if (at("updates").childElementCount > MOST_UPDATES) at("updates").firstElementChild.remove();
  showProfile();
}

async function rename(event) {
  event.preventDefault();
  const answer = await fetch("/profile", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(at("name").value),
  });
  if (answer.status === 401) return logIn();
  at("problem").textContent = answer.ok ? "" : await answer.text();
  at("problem").hidden = answer.ok;
}

function show(state, text) {
  at("state").dataset.state = state;
  at("state").textContent = text;
}

at("login").addEventListener("submit", send);
at("rename").addEventListener("submit", rename);
start();
