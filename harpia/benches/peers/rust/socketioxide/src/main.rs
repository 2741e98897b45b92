//! socketioxide in axum, the way its documentation shows: a namespace for each path, the broadcast
//! operator for the chat, and Socket.IO rooms for the rooms.
//!
//! Speaks Socket.IO, not plain WebSocket. Listens on 127.0.0.1 and `$PORT`.

use std::env;

use axum::Router;
use axum::serve::ListenerExt;
use socketioxide::SocketIo;
use socketioxide::extract::{Data, SocketRef};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/echo", async |socket: SocketRef| {
        socket.on(
            "message",
            async |socket: SocketRef, Data::<String>(text)| {
                socket.emit("message", &text).ok();
            },
        );
    });
    io.ns("/chat", async |socket: SocketRef| {
        socket.on(
            "message",
            async |socket: SocketRef, Data::<String>(text)| {
                socket.broadcast().emit("message", &text).await.ok();
            },
        );
    });
    io.dyn_ns("/rooms/{room}", async |socket: SocketRef| {
        socket.join(socket.ns().to_owned());
        socket.on(
            "message",
            async |socket: SocketRef, Data::<String>(text)| {
                let room = socket.ns().to_owned();
                socket.to(room).emit("message", &text).await.ok();
            },
        );
    })?;

    let port = env::var("PORT")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, Router::new().layer(layer)).await?;
    Ok(())
}
