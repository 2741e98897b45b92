//! The client that is not ours.

use std::net::SocketAddr;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::within;

/// One connection, read and written by tokio-tungstenite.
#[derive(Debug)]
pub struct Client {
    stream: WebSocketStream<TcpStream>,
    answer: Response,
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If the upgrade is refused.
    pub async fn connect(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        match Self::try_connect(address, path, headers).await {
            Ok(client) => client,
            Err(error) => panic!("{path} was refused: {error}"),
        }
    }

    /// Connects where that is refused, and returns status and body.
    ///
    /// # Panics
    ///
    /// If it is not refused, or not over HTTP.
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

    async fn try_connect(
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

    /// Returns a header of the answer to the handshake.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name)?.to_str().ok()
    }

    /// Sends text.
    pub async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends binary data.
    pub async fn send_binary(&mut self, data: &[u8]) {
        self.send_message(Message::binary(data.to_vec())).await;
    }

    /// Sends a message of any kind.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn send_message(&mut self, message: Message) {
        let sent = within(self.stream.send(message)).await;
        assert!(sent.is_ok(), "could not send: {sent:?}");
    }

    /// Sends without a check, where the server may have closed already.
    pub async fn try_send(&mut self, text: &str) -> bool {
        within(self.stream.send(Message::text(text))).await.is_ok()
    }

    /// Waits until the connection is active: harpia answers pings from then on.
    ///
    /// # Panics
    ///
    /// If something else comes before the pong.
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
    /// If none comes.
    pub async fn message(&mut self) -> Message {
        match within(self.stream.next()).await {
            Some(Ok(message)) => message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Drops what has arrived so far.
    pub async fn discard_received(&mut self) {
        while let Some(Some(Ok(_))) = self.stream.next().now_or_never() {}
    }

    /// Receives text.
    ///
    /// # Panics
    ///
    /// If something else comes.
    pub async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// Receives the close frame; returns code and reason.
    ///
    /// # Panics
    ///
    /// If something else comes.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.message().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            Message::Close(None) => (1005, String::new()),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }

    /// Closes, and reads on until the server has closed too.
    pub async fn close(mut self) {
        let _ = within(self.stream.close(None)).await;
        while within(self.stream.next())
            .await
            .is_some_and(|next| next.is_ok())
        {}
    }

    /// Closes with code and reason, and returns what the server answers.
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
