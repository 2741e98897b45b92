//! Bun with its own topics, the way its documentation shows: subscribes in `open` and publishes in
//! `message` to all others. Listens on 127.0.0.1 and `$PORT`.

type Data = { path: string };

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
      if (ws.data.path !== "/echo") ws.subscribe(ws.data.path);
    },
    message(ws, message) {
      if (ws.data.path === "/echo") ws.send(message);
      else ws.publish(ws.data.path, message);
    },
  },
});
