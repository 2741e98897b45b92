//! ws on Node, the way its documentation shows: one HTTP server with a WebSocket server for each
//! room, and a loop that sends to each client. Listens on 127.0.0.1 and `$PORT`.

import { createServer } from "node:http";
import WebSocket, { WebSocketServer } from "ws";

const echo = new WebSocketServer({ noServer: true });
echo.on("connection", (ws) => {
  ws.on("error", console.error);
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
});

const rooms = new Map();

function roomOf(path) {
  let room = rooms.get(path);
  if (room) return room;
  room = new WebSocketServer({ noServer: true });
  room.on("connection", (ws) => {
    ws.on("error", console.error);
    ws.on("message", (data, isBinary) => {
      for (const client of room.clients) {
        if (client !== ws && client.readyState === WebSocket.OPEN) {
          client.send(data, { binary: isBinary });
        }
      }
    });
  });
  rooms.set(path, room);
  return room;
}

const server = createServer();
server.on("upgrade", (request, socket, head) => {
  const wss = request.url === "/echo" ? echo : roomOf(request.url);
  wss.handleUpgrade(request, socket, head, (ws) => wss.emit("connection", ws, request));
});
server.listen(process.env.PORT, "127.0.0.1");
