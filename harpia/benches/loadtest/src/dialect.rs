//! The format of a message: the plain payload, or a Socket.IO event around it. No I/O.
//!
//! For Socket.IO, the load generator uses only the WebSocket transport (Engine.IO 4) and one event
//! called `message`. The path of the URL is the namespace.

use clap::ValueEnum;

/// The protocols on top of WebSocket.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Protocol {
    /// Each message is a payload
    Plain,
    /// Each message is a Socket.IO event; the URL's path is the namespace
    Socketio,
}

/// The format of the messages on one connection.
#[derive(Debug)]
pub(crate) enum Dialect {
    Plain,
    SocketIo {
        /// The packet that requests to join the namespace.
        join: String,
        /// The part of an event before the payload.
        prefix: String,
    },
}

/// What a received message means.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Incoming<'a> {
    Payload(&'a [u8]),
    /// The server expects this reply.
    ReplyWith(&'a [u8]),
    /// The connection is in the namespace, and may send events.
    Joined,
    Ignored,
}

impl Dialect {
    pub(crate) fn new(protocol: Protocol, path: &str) -> Self {
        match (protocol, path) {
            (Protocol::Plain, _) => Self::Plain,
            (Protocol::Socketio, "/") => Self::SocketIo {
                join: "40".into(),
                prefix: r#"42["message",""#.into(),
            },
            (Protocol::Socketio, namespace) => Self::SocketIo {
                join: format!("40{namespace},"),
                prefix: format!(r#"42{namespace},["message",""#),
            },
        }
    }

    /// Returns the path of the upgrade request.
    pub(crate) fn path<'a>(&self, path: &'a str) -> &'a str {
        match self {
            Self::Plain => path,
            Self::SocketIo { .. } => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// Returns whether the connection may send events only after [`Incoming::Joined`].
    pub(crate) fn must_join(&self) -> bool {
        matches!(self, Self::SocketIo { .. })
    }

    /// Returns the bytes before and after a payload. The payload must not need JSON escapes.
    pub(crate) fn envelope(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Plain => (b"", b""),
            Self::SocketIo { prefix, .. } => (prefix.as_bytes(), SUFFIX),
        }
    }

    pub(crate) fn parse<'a>(&'a self, message: &'a [u8]) -> Incoming<'a> {
        let Self::SocketIo { join, prefix } = self else {
            return Incoming::Payload(message);
        };
        if let Some(rest) = message.strip_prefix(prefix.as_bytes()) {
            return Incoming::Payload(rest.strip_suffix(SUFFIX).unwrap_or(rest));
        }
        match message {
            [b'0', ..] => Incoming::ReplyWith(join.as_bytes()),
            b"2" => Incoming::ReplyWith(b"3"),
            _ if message.starts_with(join.as_bytes()) => Incoming::Joined,
            _ => Incoming::Ignored,
        }
    }
}

const SUFFIX: &[u8] = br#""]"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_messages_are_payloads() {
        let plain = Dialect::new(Protocol::Plain, "/chat");
        assert_eq!(plain.path("/chat"), "/chat");
        assert_eq!(plain.envelope(), (&b""[..], &b""[..]));
        assert_eq!(plain.parse(b"2"), Incoming::Payload(b"2"));
    }

    #[test]
    fn socket_io_joins_its_namespace_and_wraps_events() {
        let chat = Dialect::new(Protocol::Socketio, "/chat");
        assert_eq!(
            chat.parse(br#"0{"sid":"x"}"#),
            Incoming::ReplyWith(b"40/chat,")
        );
        assert_eq!(chat.parse(br#"40/chat,{"sid":"y"}"#), Incoming::Joined);
        assert_eq!(chat.parse(b"2"), Incoming::ReplyWith(b"3"));
        let (prefix, suffix) = chat.envelope();
        let event = [prefix, b"hello", suffix].concat();
        assert_eq!(event, br#"42/chat,["message","hello"]"#);
        assert_eq!(chat.parse(&event), Incoming::Payload(b"hello"));
        assert_eq!(
            chat.parse(br#"42/other,["message","hello"]"#),
            Incoming::Ignored
        );
    }

    #[test]
    fn packets_of_the_main_namespace_do_not_name_it() {
        let main = Dialect::new(Protocol::Socketio, "/");
        assert_eq!(main.parse(b"0{}"), Incoming::ReplyWith(b"40"));
        assert_eq!(
            main.parse(br#"42["message","hi"]"#),
            Incoming::Payload(b"hi")
        );
    }
}
