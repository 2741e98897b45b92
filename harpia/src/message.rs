//! Messages, the types that can be sent as one, and the types that a handler can take.
//!
//! Frames are `protocol`'s.

use bytes::Bytes;
use bytestring::ByteString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::close::CloseCode;
use crate::error::{BoxError, Error, Result};
use crate::json::JsonError;

/// One whole WebSocket message. Cloning it copies no payload.
///
/// A text message is broadcast as text, and a binary message as binary data. Text and bytes convert
/// with `into()`: [`IntoMessage`] lists the types. [`Message::json`] serializes any other value.
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
    /// Text, in UTF-8.
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
    /// [`Error::Serialize`] if the value cannot be serialized as JSON, such as a map whose keys are
    /// not strings. A handler that returns it closes the connection with 1011. The client is not
    /// told what was wrong.
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

    /// Returns the payload. For text, that is its UTF-8.
    ///
    /// ```
    /// assert_eq!(harpia::Message::from("hé").as_bytes(), [b'h', 0xc3, 0xa9]);
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Returns the text of a text message, or `None` for binary data.
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn answer(ws: &Socket, message: &Message) {
    ///     match message.as_str() {
    ///         Some("ping") => drop(ws.send("pong")),
    ///         Some(_) => {}
    ///         None => ws.close(1003, "text only"),
    ///     }
    /// }
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Returns the payload without copying it.
    ///
    /// ```
    /// use harpia::{Bytes, Message};
    ///
    /// assert_eq!(Message::from("hi").into_bytes(), Bytes::from("hi"));
    /// ```
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Returns whether this is text.
    ///
    /// ```
    /// assert!(harpia::Message::from("hi").is_text());
    /// ```
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Returns the length of the payload, in bytes.
    ///
    /// ```
    /// assert_eq!(harpia::Message::from("hé").len(), 3);
    /// ```
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Returns whether the payload is empty.
    ///
    /// ```
    /// assert!(harpia::Message::from("").is_empty());
    /// ```
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

/// Clones the message, which copies no payload.
impl From<&Message> for Message {
    fn from(message: &Message) -> Self {
        message.clone()
    }
}

/// Types that can be sent as they are: text, bytes and [`Message`].
///
/// | type | is sent as |
/// |---|---|
/// | `&str`, `String`, `&String`, [`ByteString`] | text |
/// | `&[u8]`, `Vec<u8>`, [`Bytes`] | binary data |
/// | [`Message`], `&Message` | text or binary data, as the message is |
///
/// Every type that implements `Into<Message>` implements this trait. To add a type of your own,
/// implement `From<YourType> for Message`. To send a value as JSON, use a method whose name ends in
/// `_json`, such as [`Socket::send_json`](crate::Socket::send_json).
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
    /// Converts the value into a message.
    fn into_message(self) -> Message;
}

// The compile error should name this trait and not a missing `From`.
#[diagnostic::do_not_recommend]
impl<T: Into<Message>> IntoMessage for T {
    fn into_message(self) -> Message {
        self.into()
    }
}

/// A type that a `message` handler can take.
///
/// Implement it for a format of your own. The error is logged, or goes to the route's `error`
/// handler. Do not quote the message in it, which may hold a token or a password.
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
    /// [`Error::invalid_message`] (closes with 1007) if the message is not a valid `Self`, and
    /// [`Error::unsupported_message`] (closes with 1003) if it is text instead of binary data or
    /// binary data instead of text.
    ///
    /// The error goes to the `error` handler, the message is not broadcast, and the connection is
    /// closed. A handler that takes a `Result<Self, Error>` gets the error instead.
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

/// Reads the payload of text and binary messages.
impl FromMessage for Bytes {
    fn from_message(message: Message) -> Result<Self, Error> {
        Ok(message.into_bytes())
    }
}

/// Never fails: the handler gets the error.
impl<T: FromMessage> FromMessage for Result<T, Error> {
    fn from_message(message: Message) -> Result<Self, Error> {
        Ok(T::from_message(message))
    }
}

/// Reads a text message as JSON.
///
/// [`Socket::send_json`](crate::Socket::send_json) sends JSON.
///
/// The error for a message that does not fit names the path and the place, as in ``invalid data at
/// `x`, line 1 column 7`` or ``missing field `y` at line 1 column 7``. It never quotes a value that
/// the client sent, nor an error of `T` itself, which may quote one. The path has the keys of a
/// map, and a variant that `#[serde(other)]` takes, only if they look like a name.
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
///
/// let Err(error) = Json::<Move>::from_message(r#"{"x":"a","y":-1}"#.into()) else { panic!() };
/// assert_eq!(
///     format!("{error:#}"),
///     "unreadable message (1007): invalid data at `x`, line 1 column 8",
/// );
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
    /// Makes the error for a message that is not a valid value. It closes with 1007.
    ///
    /// ```
    /// use harpia::{Error, FromMessage, Message};
    ///
    /// struct Even(u32);
    ///
    /// impl FromMessage for Even {
    ///     fn from_message(message: Message) -> Result<Self, Error> {
    ///         match String::from_message(message)?.parse() {
    ///             Ok(number) if number % 2 == 0 => Ok(Self(number)),
    ///             _ => Err(Error::invalid_message("not an even number")),
    ///         }
    ///     }
    /// }
    /// assert_eq!(Even::from_message("7".into()).err().unwrap().close_code(), 1007);
    /// ```
    pub fn invalid_message(source: impl Into<BoxError>) -> Self {
        Self::Message {
            code: CloseCode::INVALID_DATA,
            source: source.into(),
        }
    }

    /// Makes the error for a message of the wrong kind, such as binary data for text.
    ///
    /// It closes with 1003.
    ///
    /// ```
    /// use harpia::{Bytes, Error, FromMessage, Message};
    ///
    /// struct Image(Bytes);
    ///
    /// impl FromMessage for Image {
    ///     fn from_message(message: Message) -> Result<Self, Error> {
    ///         match message {
    ///             Message::Binary(bytes) => Ok(Self(bytes)),
    ///             Message::Text(_) => Err(Error::unsupported_message("not an image")),
    ///         }
    ///     }
    /// }
    /// assert_eq!(Image::from_message("7".into()).err().unwrap().close_code(), 1003);
    /// ```
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
    fn json_of_another_type_is_1007_and_binary_data_is_1003() {
        let text = Json::<u32>::from_message("no".into()).unwrap_err();
        assert_eq!(text.close_code(), CloseCode::INVALID_DATA);
        let binary = Json::<u32>::from_message(vec![1].into()).unwrap_err();
        assert_eq!(binary.close_code(), CloseCode::UNSUPPORTED);
    }

    #[test]
    fn a_handler_that_takes_a_result_gets_the_error() {
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
        // The type of the literals is inferred.
        assert_eq!(sent(vec![1, 2]), binary);
        assert_eq!(sent(&[1, 2][..]), binary);
        assert_eq!(sent(Bytes::from_static(&[1, 2])), binary);
    }

    #[test]
    fn a_value_that_has_no_json_form_is_a_serialize_error_with_its_cause() {
        let keyed_by_pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = Message::json(&keyed_by_pairs).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "the value cannot be serialized as JSON: key must be a string"
        );
    }
}
