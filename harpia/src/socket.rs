//! What a handler holds of its connection: the data, and a handle to write with.

/// One connection, as its handlers see it.
#[derive(Debug)]
pub struct Socket<D> {
    /// The connection's own data.
    pub data: D,
}

impl<D> Socket<D> {
    /// Returns the connection's id.
    pub fn id(&self) -> u64 {
        0
    }
    /// Sends.
    pub fn send(&self, message: impl Into<crate::Message>) {
        let _ = message.into();
    }
    /// Closes.
    pub fn close(
        &self,
        code: impl Into<crate::CloseCode>,
        reason: impl Into<bytestring::ByteString>,
    ) {
        let _ = (code.into(), reason.into());
    }
}
