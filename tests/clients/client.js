"use strict";
// The client with ws. `main.rs` says what it does.

const { once } = require("node:events");
const { WebSocket } = require("ws");

const [, , url, mode] = process.argv;
const text = "harpia ".repeat(6000);
const binary = Buffer.from(Array.from({ length: 40_960 }, (_, index) => index % 256));

async function connect() {
  const socket = new WebSocket(url, { perMessageDeflate: mode === "deflate" });
  await once(socket, "open");
  return socket;
}

async function echo(socket, message) {
  const received = once(socket, "message");
  socket.send(message);
  const [data, isBinary] = await received;
  return isBinary ? data : data.toString();
}

async function long(socket, message) {
  const answer = await echo(socket, message);
  const same = typeof answer === typeof message && Buffer.from(message).equals(Buffer.from(answer));
  return `${answer.length} bytes, ${same ? "as sent" : "changed"}`;
}

async function main() {
  let socket = await connect();
  console.log("extension:", socket.extensions || "none");
  console.log("text:", await echo(socket, "Grüße 🌿"));
  const bytes = await echo(socket, Buffer.from([0x00, 0xff, 0x7f, 0x80]));
  console.log("binary:", bytes.toString("hex"));
  console.log("long text:", await long(socket, text));
  console.log("long binary:", await long(socket, binary));
  socket.close(1000, "done");
  const [answered] = await once(socket, "close");
  console.log("closed by the client:", answered);

  socket = await connect();
  socket.send("close");
  const [code, reason] = await once(socket, "close");
  console.log("closed by the server:", code, reason.toString());
}

main();
