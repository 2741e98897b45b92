//! fastwebsockets with hyper, the way its documentation shows. harpia uses the same two libraries.
//!
//! The documentation does not cover broadcasts. Here each connection is split, and has an unbounded
//! channel and a task that writes what the channel brings. Listens on 127.0.0.1 and `$PORT`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::env;
use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fastwebsockets::upgrade::{UpgradeFut, is_upgrade_request, upgrade};
use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError,
};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

type Outgoing = UnboundedSender<(OpCode, Bytes)>;
type Room = Arc<Mutex<HashMap<u64, Outgoing>>>;

#[derive(Clone, Default)]
struct App {
    rooms: Arc<Mutex<HashMap<String, Room>>>,
    connections: Arc<AtomicU64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = env::var("PORT")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let app = App::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(request, app.clone()));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.with_upgrades().await;
        });
    }
}

async fn serve(
    mut request: Request<Incoming>,
    app: App,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if is_upgrade_request(&request)
        && let Ok((response, socket)) = upgrade(&mut request)
    {
        tokio::spawn(async move {
            match path.as_str() {
                "/echo" => echo(socket).await,
                _ => chat(socket, app, path).await,
            }
        });
        return Ok(response);
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}

async fn echo(socket: UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(socket.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn chat(socket: UpgradeFut, app: App, path: String) -> Result<(), WebSocketError> {
    let (receiver, mut sender) = socket.await?.split(tokio::io::split);
    let me = app.connections.fetch_add(1, Ordering::Relaxed);
    let room = app.rooms.lock().unwrap().entry(path).or_default().clone();
    let (outgoing, mut queue) = unbounded_channel::<(OpCode, Bytes)>();
    room.lock().unwrap().insert(me, outgoing.clone());
    let writer = tokio::spawn(async move {
        while let Some((opcode, data)) = queue.recv().await {
            let frame = Frame::new(true, opcode, None, Payload::Borrowed(&data));
            if sender.write_frame(frame).await.is_err() {
                break;
            }
        }
    });
    let result = receive(FragmentCollectorRead::new(receiver), &room, me, outgoing).await;
    room.lock().unwrap().remove(&me);
    let _ = writer.await;
    result
}

async fn receive(
    mut receiver: FragmentCollectorRead<impl tokio::io::AsyncRead + Unpin>,
    room: &Room,
    me: u64,
    outgoing: Outgoing,
) -> Result<(), WebSocketError> {
    // Pongs and close frames use the same channel, so that they are not written inside a message.
    let mut obligated = |frame: Frame<'_>| {
        let _ = outgoing.send((frame.opcode, Bytes::copy_from_slice(&frame.payload)));
        ready(Ok::<_, WebSocketError>(()))
    };
    loop {
        let frame = receiver.read_frame(&mut obligated).await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => {
                let data = Bytes::copy_from_slice(&frame.payload);
                for (_, other) in room.lock().unwrap().iter().filter(|(id, _)| **id != me) {
                    let _ = other.send((frame.opcode, data.clone()));
                }
            }
            _ => {}
        }
    }
}
