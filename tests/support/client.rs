//! A WebSocket client that is independent of harpia.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::within;

/// One connection, made with tokio-tungstenite.
#[derive(Debug)]
pub struct Client {
    stream: WebSocketStream<TcpStream>,
    answer: Response,
}

/// The pause before another try to connect to a full server.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(10);

fn is_full(answer: &Response) -> bool {
    let body = answer.body().as_deref().unwrap_or_default();
    answer.status() == 503 && body.starts_with(b"the server is full")
}

impl Client {
    /// Connects to a path and sends these extra headers.
    ///
    /// # Panics
    ///
    /// If the server refuses the upgrade.
    pub async fn connect(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        match Self::try_connect(address, path, headers).await {
            Ok(client) => client,
            Err(error) => panic!("{path} was refused: {error}"),
        }
    }

    /// Requests an upgrade that the server must refuse; returns status and body.
    ///
    /// # Panics
    ///
    /// If the server accepts the upgrade, or fails without an HTTP response.
    pub async fn refused(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        match Self::try_connect(address, path, headers).await {
            Err(Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                let text = String::from_utf8_lossy(&body).trim().to_owned();
                (answer.status().as_u16(), text)
            }
            other => panic!("{path} was not refused over HTTP: {other:?}"),
        }
    }

    /// Connects. If the server is full, tries again until it has a place, as a user's client does.
    async fn try_connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Error> {
        within(async {
            loop {
                match Self::try_once(address, path, headers).await {
                    Err(Error::Http(answer)) if is_full(&answer) => sleep(RETRY_PAUSE).await,
                    other => return other,
                }
            }
        })
        .await
    }

    async fn try_once(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let stream = within(TcpStream::connect(address)).await?;
        let mut request: Request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in headers {
            let name: HeaderName = name.parse().map_err(|_| Error::Utf8("name".into()))?;
            let value = HeaderValue::from_str(value).map_err(|_| Error::Utf8("value".into()))?;
            request.headers_mut().append(name, value);
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(64 << 20))
            .max_frame_size(Some(64 << 20));
        let (stream, answer) =
            within(client_async_with_config(request, stream, Some(config))).await?;
        Ok(Self { stream, answer })
    }

    /// Returns a header of the handshake response.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name)?.to_str().ok()
    }

    /// Sends a text message.
    pub async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends a binary message.
    pub async fn send_binary(&mut self, data: &[u8]) {
        self.send_message(Message::binary(data.to_vec())).await;
    }

    /// Sends a message of any kind.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send_message(&mut self, message: Message) {
        let sent = within(self.stream.send(message)).await;
        assert!(sent.is_ok(), "could not send: {sent:?}");
    }

    /// Sends a text message to a server that may have closed; returns whether that worked.
    pub async fn try_send(&mut self, text: &str) -> bool {
        within(self.stream.send(Message::text(text))).await.is_ok()
    }

    /// Sends a ping and waits for the pong, which shows that the connection is active.
    ///
    /// The server answers pings once `open` has returned, and while a route with `auth` waits for
    /// the first message.
    ///
    /// # Panics
    ///
    /// If another message arrives before the pong.
    pub async fn active(mut self) -> Self {
        self.send_message(Message::Ping(Default::default())).await;
        let answer = self.message().await;
        assert!(
            matches!(answer, Message::Pong(_)),
            "expected a pong, got {answer:?}"
        );
        self
    }

    /// Receives the next message of any kind.
    ///
    /// # Panics
    ///
    /// If the connection ends without one.
    pub async fn message(&mut self) -> Message {
        match within(self.stream.next()).await {
            Some(Ok(message)) => message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Discards all messages that have arrived so far.
    pub async fn discard_received(&mut self) {
        while let Some(Some(Ok(_))) = self.stream.next().now_or_never() {}
    }

    /// Receives a text message.
    ///
    /// # Panics
    ///
    /// If the next message is not text.
    pub async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// Receives the close frame and answers it; returns its code and reason.
    ///
    /// A close frame without a code returns 1005.
    ///
    /// # Panics
    ///
    /// If the next message is not a close frame.
    pub async fn closed(&mut self) -> (u16, String) {
        let closed = match self.message().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            Message::Close(None) => (1005, String::new()),
            other => panic!("expected a close frame, got {other:?}"),
        };
        // The answer is queued. The server may have ended its side already.
        let _ = within(self.stream.flush()).await;
        closed
    }

    /// Sends a close frame and reads until the server has closed too.
    pub async fn close(mut self) {
        let _ = within(self.stream.close(None)).await;
        while within(self.stream.next())
            .await
            .is_some_and(|next| next.is_ok())
        {}
    }

    /// Sends a close frame with this code and reason; returns the server's code and reason.
    ///
    /// # Panics
    ///
    /// If the server does not answer with a close frame.
    pub async fn close_with(&mut self, code: u16, reason: &str) -> (u16, String) {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        let _ = within(self.stream.close(Some(frame))).await;
        self.closed().await
    }
}
