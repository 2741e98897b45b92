//! Frames of clients, compared with tungstenite.

use std::io::{self, Read, Write};

use harpia::fuzz::{FrameEvent, Frames};
use tungstenite::error::ProtocolError;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

/// Checks that tungstenite reads the same events up to the first violation or close frame, and that
/// it fails if harpia finds a violation.
///
/// The two differ on purpose:
///
/// - harpia finds a violation as soon as its bytes have arrived. tungstenite waits for the whole
///   head, frame or message. So the input may end before tungstenite finds the violation.
/// - tungstenite accepts a length that is not encoded in the fewest bytes. RFC 6455 section 5.2
///   forbids such a length. In a control frame, harpia takes it for a length over 125.
/// - tungstenite replaces a close code that must not be sent by 1002. To harpia this is a
///   violation. tungstenite replaces 1014 too, which IANA has registered since.
/// - tungstenite has no compression.
pub(crate) fn compare(frames: &Frames<'_>) {
    if frames.deflate {
        return;
    }
    let is_close = |event: &FrameEvent| matches!(event, FrameEvent::Close(..));
    let close = frames.events.iter().position(is_close);
    let ours = &frames.events[..close.map_or(frames.events.len(), |at| at + 1)];
    let violation = frames.violation.filter(|_| close.is_none());
    let (mut theirs, end) = read(frames);
    if let (Some(FrameEvent::Close(1014, reason)), Some(close)) = (ours.last(), theirs.last_mut())
        && *close == replaced()
    {
        *close = FrameEvent::Close(1014, reason.clone());
    }
    match violation {
        None => {
            assert_eq!(theirs, ours);
            assert_ne!(end, End::Violation, "tungstenite finds a violation");
        }
        Some("Length Not Minimal" | "Control Frame Over 125 Bytes") => {
            assert!(theirs.starts_with(ours))
        }
        Some("Invalid Close Code") => {
            assert!(theirs.starts_with(ours));
            // tungstenite checks the reason, too. Its error is then another one.
            let is_replaced = theirs[ours.len()..] == [replaced()];
            assert!(is_replaced || end == End::Violation && theirs == ours);
        }
        Some(rule) => {
            assert_eq!(theirs, ours, "{rule}");
            assert_ne!(end, End::Close, "{rule}");
        }
    }
}

fn replaced() -> FrameEvent {
    FrameEvent::Close(1002, "Protocol violation".into())
}

/// How reading ends.
#[derive(Debug, Eq, PartialEq)]
enum End {
    Input,
    Close,
    Violation,
}

/// Reads frames with tungstenite, up to a close frame.
fn read(frames: &Frames<'_>) -> (Vec<FrameEvent>, End) {
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(frames.max_message))
        // The limit on frames applies to control frames too.
        .max_frame_size(Some(frames.max_message.max(125)));
    let stream = Stream(frames.sent);
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
    let mut events = Vec::new();
    loop {
        let event = match socket.read() {
            Ok(Message::Text(text)) => FrameEvent::Message(text.as_str().into()),
            Ok(Message::Binary(payload)) => FrameEvent::Message(payload.into()),
            Ok(Message::Ping(payload)) => FrameEvent::Ping(payload),
            Ok(Message::Pong(_)) => FrameEvent::Pong,
            Ok(Message::Close(frame)) => {
                events.push(match frame {
                    Some(frame) => FrameEvent::Close(frame.code.into(), frame.reason.to_string()),
                    None => FrameEvent::Close(1005, String::new()),
                });
                return (events, End::Close);
            }
            Ok(Message::Frame(_)) => unreachable!("only written"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                return (events, End::Input);
            }
            Err(_) => return (events, End::Violation),
        };
        events.push(event);
    }
}

/// A client that sends these bytes and ignores the replies.
struct Stream<'a>(&'a [u8]);

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
