//! axum, the way its chat example shows: one tokio broadcast channel for each room, and two tasks
//! for each connection. One task receives from the socket, the other sends what the channel brings.
//!
//! In the example, a sender also gets its own messages. Here each message carries its sender's
//! number, so that the sender can skip it. Listens on 127.0.0.1 and `$PORT`.

use std::collections::HashMap;
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

type Room = broadcast::Sender<(u64, Message)>;

#[derive(Default)]
struct App {
    rooms: Mutex<HashMap<String, Room>>,
    connections: AtomicU64,
}

impl App {
    fn room(&self, name: &str) -> Room {
        let mut rooms = self.rooms.lock().unwrap();
        // The capacity that the example uses.
        let room = rooms.entry(name.to_owned());
        room.or_insert_with(|| broadcast::channel(100).0).clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new()
        .route("/echo", get(echo))
        .route("/chat", get(chat))
        .route("/rooms/{room}", get(room))
        .with_state(Arc::new(App::default()));
    let port = env::var("PORT")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, app).await?;
    Ok(())
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            if is_data(&message) && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

async fn chat(upgrade: WebSocketUpgrade, State(app): State<Arc<App>>) -> Response {
    upgrade.on_upgrade(move |socket| take_part(socket, app, "chat".to_owned()))
}

async fn room(
    upgrade: WebSocketUpgrade,
    Path(room): Path<String>,
    State(app): State<Arc<App>>,
) -> Response {
    upgrade.on_upgrade(move |socket| take_part(socket, app, room))
}

async fn take_part(socket: WebSocket, app: Arc<App>, room: String) {
    let me = app.connections.fetch_add(1, Ordering::Relaxed);
    let room = app.room(&room);
    let mut messages = room.subscribe();
    let (mut sender, mut receiver) = socket.split();

    let mut send_task = tokio::spawn(async move {
        loop {
            match messages.recv().await {
                Ok((author, message)) if author != me => {
                    if sender.send(message).await.is_err() {
                        break;
                    }
                }
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => break,
            }
        }
    });
    let mut receive_task = tokio::spawn(async move {
        while let Some(Ok(message)) = receiver.next().await {
            if is_data(&message) {
                let _ = room.send((me, message));
            }
        }
    });

    tokio::select! {
        _ = &mut send_task => receive_task.abort(),
        _ = &mut receive_task => send_task.abort(),
    }
}

fn is_data(message: &Message) -> bool {
    matches!(message, Message::Text(_) | Message::Binary(_))
}
