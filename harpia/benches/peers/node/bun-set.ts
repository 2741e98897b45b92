//! Bun the way the original Harpia uses it: a set of connections for each room, and a loop that
//! sends to each. Listens on 127.0.0.1 and `$PORT`.

import type { ServerWebSocket } from "bun";

type Data = { path: string };
const rooms = new Map<string, Set<ServerWebSocket<Data>>>();

function roomOf(path: string): Set<ServerWebSocket<Data>> {
  let room = rooms.get(path);
  if (!room) rooms.set(path, (room = new Set()));
  return room;
}

Bun.serve<Data>({
  hostname: "127.0.0.1",
  port: process.env.PORT,
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (server.upgrade(request, { data: { path: pathname } })) return;
    return new Response("upgrade", { status: 426 });
  },
  websocket: {
    open(ws) {
      if (ws.data.path !== "/echo") roomOf(ws.data.path).add(ws);
    },
    message(ws, message) {
      if (ws.data.path === "/echo") {
        ws.send(message);
        return;
      }
      for (const other of roomOf(ws.data.path)) {
        if (other !== ws) other.send(message);
      }
    },
    close(ws) {
      roomOf(ws.data.path).delete(ws);
    },
  },
});
