//! Messages as users meet them, and the types a handler can read them as.
//!
//! Knows nothing of frames: those are `protocol`'s.

use bytes::Bytes;
use bytestring::ByteString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::close::CloseCode;
use crate::error::{BoxError, Error, Result};
use crate::json::JsonError;

/// One whole WebSocket message. Cloning it copies no payload.
///
/// Text and binary stay what they are on their way through a broadcast. Text and bytes convert with
/// `into()`, as [`IntoMessage`] lists them. [`Message::json`] serializes any other value.
///
/// ```
/// use harpia::Message;
///
/// let hello = Message::from("hello");
/// assert_eq!(hello.as_str(), Some("hello"));
/// assert_eq!(Message::from(vec![1, 2, 3]).as_str(), None);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// Text, which is UTF-8 on the wire too.
    Text(ByteString),
    /// Binary data.
    Binary(Bytes),
}

impl Message {
    /// Serializes a value as a JSON text message.
    ///
    /// Use it for [`Broadcast::Replace`](crate::Broadcast::Replace), or to serialize a value once
    /// and send it several times. To send it once, [`Socket::send_json`](crate::Socket::send_json),
    /// [`Socket::publish_json`](crate::Socket::publish_json) and
    /// [`Hub::broadcast_json`](crate::Hub::broadcast_json) are shorter. [`Json`] reads what this
    /// writes.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`] if the value has no form in JSON, such as a map whose keys are not
    /// strings. A handler that returns it closes the connection with 1011. The client is not told
    /// what was wrong.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Message;
    ///
    /// let message = Message::json(&[1, 2])?;
    /// assert_eq!(message.as_str(), Some("[1,2]"));
    /// # Ok::<(), harpia::Error>(())
    /// ```
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let text = serde_json::to_string(value).map_err(|error| Error::Serialize {
            source: error.into(),
        })?;
        Ok(Self::from(text))
    }

    /// Returns the payload, of text its UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Returns the text of a text message.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Returns the payload without copying it.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Says whether this is text.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Returns the payload's length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Says whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! message_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Message {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

message_from! {
    &str => Text,
    String => Text,
    ByteString => Text,
    Bytes => Binary,
    Vec<u8> => Binary,
}

impl From<&String> for Message {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<&[u8]> for Message {
    fn from(value: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(value))
    }
}

/// Clones it, which copies no payload.
impl From<&Message> for Message {
    fn from(message: &Message) -> Self {
        message.clone()
    }
}

/// What can be sent as it is: text, bytes and [`Message`].
///
/// | type | is sent as |
/// |---|---|
/// | `&str`, `String`, `&String`, [`ByteString`] | text |
/// | `&[u8]`, `Vec<u8>`, [`Bytes`] | binary data |
/// | [`Message`], `&Message` | what it is |
///
/// Every type that is `Into<Message>` has this trait: to add a type of your own, implement
/// `From<YourType> for Message`. To send a value as JSON, use a method whose name ends in `_json`,
/// such as [`Socket::send_json`](crate::Socket::send_json).
///
/// ```
/// use harpia::{IntoMessage, Message};
///
/// struct Celsius(f64);
///
/// impl From<Celsius> for Message {
///     fn from(celsius: Celsius) -> Self {
///         format!("{:.1}", celsius.0).into()
///     }
/// }
/// assert_eq!(Celsius(21.5).into_message().as_str(), Some("21.5"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither text, bytes nor a `Message`",
    label = "cannot be sent as it is",
    note = "to send a value as JSON, use `send_json(&value)`, `publish_json(topic, &value)` or \
            `broadcast_json(&value)`"
)]
pub trait IntoMessage {
    /// Makes the message.
    fn into_message(self) -> Message;
}

// The error should be about the trait above, and not about a missing `From`.
#[diagnostic::do_not_recommend]
impl<T: Into<Message>> IntoMessage for T {
    fn into_message(self) -> Message {
        self.into()
    }
}

/// A type that a `message` handler can take.
///
/// Implement it for a format of your own. Its error is logged, or goes to the route's `error`: say in
/// it what is wrong, and nothing that the client wrote, which may be a token or a password.
///
/// ```
/// use harpia::{Error, FromMessage, Message};
///
/// struct Celsius(f64);
///
/// impl FromMessage for Celsius {
///     fn from_message(message: Message) -> Result<Self, Error> {
///         let text = String::from_message(message)?;
///         text.trim().parse().map(Self).map_err(Error::invalid_message)
///     }
/// }
/// assert!(Celsius::from_message("21.5".into()).is_ok());
/// assert_eq!(Celsius::from_message("warm".into()).err().unwrap().close_code(), 1007);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a WebSocket message",
    label = "not a message type",
    note = "for JSON write `Json<{Self}>`; other message types are `Message`, `String`, `Bytes`, \
            and whatever implements `harpia::FromMessage`"
)]
pub trait FromMessage: Sized {
    /// Reads the message.
    ///
    /// # Errors
    ///
    /// [`Error::invalid_message`] (closes with 1007) where the text is not a `Self`, and
    /// [`Error::unsupported_message`] (1003) where the kind of message is not the wanted one.
    /// Without a handler that takes `Result<Self, Error>` the error reaches `error`, the message
    /// is not broadcast, and the connection is closed.
    fn from_message(message: Message) -> Result<Self, Error>;
}

impl FromMessage for Message {
    fn from_message(message: Message) -> Result<Self, Error> {
        Ok(message)
    }
}

impl FromMessage for ByteString {
    fn from_message(message: Message) -> Result<Self, Error> {
        match message {
            Message::Text(text) => Ok(text),
            Message::Binary(_) => Err(Error::unsupported_message("expected text, got binary")),
        }
    }
}

impl FromMessage for String {
    fn from_message(message: Message) -> Result<Self, Error> {
        ByteString::from_message(message).map(|text| text.to_string())
    }
}

/// The payload, of text and binary messages alike.
impl FromMessage for Bytes {
    fn from_message(message: Message) -> Result<Self, Error> {
        Ok(message.into_bytes())
    }
}

/// Never fails: the handler decides about bad input itself.
impl<T: FromMessage> FromMessage for Result<T, Error> {
    fn from_message(message: Message) -> Result<Self, Error> {
        Ok(T::from_message(message))
    }
}

/// Reads a text message as JSON. [`Socket::send_json`](crate::Socket::send_json) sends JSON.
///
/// Where it does not fit, the error says what kind of mistake it is, and the path, line and column:
/// ``invalid type: string, expected i32 at `x`, line 1 column 7``. It holds no value that the client
/// sent, and nothing that `T` says itself, which may quote one. Of the keys of a map,
/// and of a variant that `#[serde(other)]` takes, the path has those that look like a name.
///
/// ```
/// use harpia::{FromMessage, Json};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Move { x: i32, y: i32 }
///
/// let Json(step) = Json::<Move>::from_message(r#"{"x":1,"y":-1}"#.into())?;
/// assert_eq!((step.x, step.y), (1, -1));
/// # Ok::<(), harpia::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromMessage for Json<T> {
    fn from_message(message: Message) -> Result<Self, Error> {
        let text = ByteString::from_message(message)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|error| JsonError::located::<T>(&error, text.as_bytes()))
            .map_err(Error::invalid_message)
    }
}

impl Error {
    /// Reports a message that is not a value of the wanted type: closes with 1007.
    pub fn invalid_message(source: impl Into<BoxError>) -> Self {
        Self::Message {
            code: CloseCode::INVALID_DATA,
            source: source.into(),
        }
    }

    /// Reports a message of the wrong kind, binary where text is wanted: closes with 1003.
    pub fn unsupported_message(source: impl Into<BoxError>) -> Self {
        Self::Message {
            code: CloseCode::UNSUPPORTED,
            source: source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_is_not_the_type_is_1007_and_binary_is_1003() {
        let text = Json::<u32>::from_message("no".into()).unwrap_err();
        assert_eq!(text.close_code(), CloseCode::INVALID_DATA);
        let binary = Json::<u32>::from_message(vec![1].into()).unwrap_err();
        assert_eq!(binary.close_code(), CloseCode::UNSUPPORTED);
    }

    #[test]
    fn a_result_as_message_type_carries_the_error_to_the_handler() {
        let read = Result::<Json<u32>, Error>::from_message("no".into());
        assert!(matches!(read, Ok(Err(Error::Message { .. }))));
    }

    #[test]
    fn text_bytes_and_messages_are_sent_as_they_are() {
        fn sent(message: impl IntoMessage) -> Message {
            message.into_message()
        }
        let text = Message::Text("hi".into());
        assert_eq!(sent("hi"), text);
        let owned = "hi".to_owned();
        assert_eq!(sent(&owned), text);
        assert_eq!(sent(owned), text);
        assert_eq!(sent(ByteString::from("hi")), text);
        assert_eq!(sent(&text), text);
        assert_eq!(sent(text.clone()), text);
        let binary = Message::Binary(Bytes::from_static(&[1, 2]));
        // The literals' type is inferred.
        assert_eq!(sent(vec![1, 2]), binary);
        assert_eq!(sent(&[1, 2][..]), binary);
        assert_eq!(sent(Bytes::from_static(&[1, 2])), binary);
    }

    #[test]
    fn a_value_without_a_form_in_json_is_an_error_of_ours_with_its_cause() {
        let keyed_by_pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = Message::json(&keyed_by_pairs).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "the value cannot be serialized as JSON: key must be a string"
        );
    }
}
