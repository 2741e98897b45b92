//! What stands around a payload in a message: nothing, or Socket.IO's wire format. No I/O.
//!
//! Socket.IO is spoken over its WebSocket transport alone (Engine.IO 4), in the namespace that the
//! path of the URL names, with one event called `message`.

use clap::ValueEnum;

/// The protocols that a server may speak above WebSocket.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Protocol {
    /// A message is its payload.
    Plain,
    /// Events of Socket.IO, in the namespace that is the URL's path.
    Socketio,
}

/// How one connection speaks.
#[derive(Debug)]
pub(crate) enum Dialect {
    Plain,
    SocketIo {
        /// What asks to be let into the namespace.
        join: String,
        /// What an event begins with, up to the payload.
        start: String,
    },
}

/// What a message turned out to be.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Heard<'a> {
    Payload(&'a [u8]),
    /// The server waits for this.
    Answer(&'a [u8]),
    /// From now on events may be sent.
    Joined,
    Nothing,
}

impl Dialect {
    pub(crate) fn new(protocol: Protocol, path: &str) -> Self {
        match (protocol, path) {
            (Protocol::Plain, _) => Self::Plain,
            (Protocol::Socketio, "/") => Self::SocketIo {
                join: "40".into(),
                start: r#"42["message",""#.into(),
            },
            (Protocol::Socketio, namespace) => Self::SocketIo {
                join: format!("40{namespace},"),
                start: format!(r#"42{namespace},["message",""#),
            },
        }
    }

    /// Returns the path that the upgrade asks for.
    pub(crate) fn path<'a>(&self, path: &'a str) -> &'a str {
        match self {
            Self::Plain => path,
            Self::SocketIo { .. } => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// Returns whether events have to wait for [`Heard::Joined`].
    pub(crate) fn must_join(&self) -> bool {
        matches!(self, Self::SocketIo { .. })
    }

    /// Returns what stands before and behind a payload, which needs no escapes.
    pub(crate) fn around(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Plain => (b"", b""),
            Self::SocketIo { start, .. } => (start.as_bytes(), END),
        }
    }

    pub(crate) fn hear<'a>(&'a self, message: &'a [u8]) -> Heard<'a> {
        let Self::SocketIo { join, start } = self else {
            return Heard::Payload(message);
        };
        if let Some(rest) = message.strip_prefix(start.as_bytes()) {
            return Heard::Payload(rest.strip_suffix(END).unwrap_or(rest));
        }
        match message {
            [b'0', ..] => Heard::Answer(join.as_bytes()),
            b"2" => Heard::Answer(b"3"),
            _ if message.starts_with(join.as_bytes()) => Heard::Joined,
            _ => Heard::Nothing,
        }
    }
}

const END: &[u8] = br#""]"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_messages_are_payloads() {
        let plain = Dialect::new(Protocol::Plain, "/chat");
        assert_eq!(plain.path("/chat"), "/chat");
        assert_eq!(plain.around(), (&b""[..], &b""[..]));
        assert_eq!(plain.hear(b"2"), Heard::Payload(b"2"));
    }

    #[test]
    fn socket_io_joins_its_namespace_and_wraps_events() {
        let chat = Dialect::new(Protocol::Socketio, "/chat");
        assert_eq!(chat.hear(br#"0{"sid":"x"}"#), Heard::Answer(b"40/chat,"));
        assert_eq!(chat.hear(br#"40/chat,{"sid":"y"}"#), Heard::Joined);
        assert_eq!(chat.hear(b"2"), Heard::Answer(b"3"));
        let (start, end) = chat.around();
        let event = [start, b"hello", end].concat();
        assert_eq!(event, br#"42/chat,["message","hello"]"#);
        assert_eq!(chat.hear(&event), Heard::Payload(b"hello"));
        assert_eq!(
            chat.hear(br#"42/other,["message","hello"]"#),
            Heard::Nothing
        );
    }

    #[test]
    fn the_main_namespace_has_no_name() {
        let main = Dialect::new(Protocol::Socketio, "/");
        assert_eq!(main.hear(b"0{}"), Heard::Answer(b"40"));
        assert_eq!(main.hear(br#"42["message","hi"]"#), Heard::Payload(b"hi"));
    }
}
