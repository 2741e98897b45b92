//! The types of a single value of a handshake, such as a path parameter.

use std::str::FromStr;

/// Types that are parsed from a single value of a handshake.
///
/// Every [`FromStr`] type is one. The type of a path parameter, and of a field with
/// `#[from(query)]`, `#[from(header)]`, `#[from(cookie)]` or `#[from(path)]`, must implement this
/// trait.
///
/// ```
/// use harpia::prelude::*;
///
/// #[derive(Clone)]
/// struct RoomId(u32);
///
/// impl std::str::FromStr for RoomId {
///     type Err = std::num::ParseIntError;
///
///     fn from_str(text: &str) -> Result<Self, Self::Err> {
///         text.parse().map(Self)
///     }
/// }
///
/// struct Rooms;
///
/// #[ws_route("/rooms/{room}")]
/// impl Rooms {
///     fn open(&self, ws: &mut Socket, room: RoomId) {
///         ws.send(format!("this is room {}", room.0));
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be parsed from a single value of the handshake",
    label = "not `FromStr`",
    note = "implement `std::str::FromStr` for `{Self}`",
    note = "a type that reads several values implements `FromHandshake`, as `Query<T>` does, and \
            its field has no `#[from(…)]`"
)]
pub trait FromValue: Sized {
    /// Parses the text. Returns `None` if it is not a value of this type.
    fn from_value(text: &str) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr> FromValue for T {
    fn from_value(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
