//! tokio-tungstenite, the way its server example shows: a map of peers, each with an unbounded
//! channel that is forwarded to its socket.
//!
//! The example has one room, this program one for each path. Listens on 127.0.0.1 and `$PORT`.

use std::collections::HashMap;
use std::env;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_util::{StreamExt, TryStreamExt, future, pin_mut};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

type PeerMap = HashMap<SocketAddr, UnboundedSender<Message>>;
type Rooms = Arc<Mutex<HashMap<String, Arc<Mutex<PeerMap>>>>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = env::var("PORT")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let rooms = Rooms::default();
    while let Ok((stream, address)) = listener.accept().await {
        tokio::spawn(handle_connection(rooms.clone(), stream, address));
    }
    Ok(())
}

async fn handle_connection(rooms: Rooms, stream: TcpStream, address: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let mut path = String::new();
    #[allow(
        clippy::result_large_err,
        reason = "tungstenite defines the type of the callback"
    )]
    let note_path = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok::<_, ErrorResponse>(response)
    };
    let Ok(socket) = accept_hdr_async(stream, note_path).await else {
        return;
    };
    if path == "/echo" {
        let (outgoing, incoming) = socket.split();
        let messages = incoming.try_filter(|message| future::ready(is_data(message)));
        let _ = messages.forward(outgoing).await;
        return;
    }
    let room = rooms.lock().unwrap().entry(path).or_default().clone();
    chat(&room, socket, address).await;
}

async fn chat(room: &Mutex<PeerMap>, socket: WebSocketStream<TcpStream>, address: SocketAddr) {
    let (sender, receiver) = unbounded();
    room.lock().unwrap().insert(address, sender);
    let (outgoing, incoming) = socket.split();

    let broadcast_incoming = incoming.try_for_each(|message| {
        if is_data(&message) {
            let peers = room.lock().unwrap();
            let recipients = peers.iter().filter(|(peer, _)| **peer != address);
            for (_, recipient) in recipients {
                let _ = recipient.unbounded_send(message.clone());
            }
        }
        future::ok(())
    });
    let receive_from_others = receiver.map(Ok).forward(outgoing);

    pin_mut!(broadcast_incoming, receive_from_others);
    future::select(broadcast_incoming, receive_from_others).await;
    room.lock().unwrap().remove(&address);
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
