//! The part of [`Hub`] that closes connections: one, a topic's subscribers, or all.

use bytestring::ByteString;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::id::ConnectionId;

use super::Hub;
use super::record::Record;

impl Hub {
    /// Closes one connection, after everything that was published to it before.
    ///
    /// Does nothing if no connection has this id any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::ConnectionId;
    ///
    /// fn kick(hub: &Hub, player: ConnectionId) {
    ///     hub.disconnect(player, 1008, "Kicked by a moderator");
    /// }
    /// ```
    pub fn disconnect(
        &self,
        id: ConnectionId,
        code: impl Into<CloseCode>,
        reason: impl Into<ByteString>,
    ) {
        let frame = CloseFrame::new(code.into(), reason);
        self.disconnect_for(id, Close::new(CloseCause::Disconnect, frame));
    }

    /// Closes every subscriber of a topic.
    ///
    /// Use it to close all pages of a user who logs out or is banned, or a room that has ended.
    ///
    /// Subscribers first get everything that was published before this call, even if their `open`
    /// has not returned yet.
    ///
    /// Connections that subscribe after this call are not closed. Before you call it, change what
    /// `open` checks: delete the session, or mark the room as ended. In `open`, subscribe first,
    /// then check.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::session::{SessionError, SessionId};
    ///
    /// struct Inbox { sessions: Session<String> }
    ///
    /// #[ws_route("/inbox", broadcast = off)]
    /// impl Inbox {
    ///     async fn open(&self, ws: &mut Socket) -> HandlerResult {
    ///         let id = self.sessions.id_from_ws(ws)?;
    ///         ws.subscribe(format!("session {}", id.as_str()));
    ///         ws.send(self.sessions.get(&id).await?);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// async fn log_out(
    ///     hub: &Hub,
    ///     sessions: &Session<String>,
    ///     id: &SessionId,
    /// ) -> Result<(), SessionError> {
    ///     sessions.delete(id).await?;
    ///     hub.disconnect_topic(format!("session {}", id.as_str()), 1008, "Logged Out");
    ///     Ok(())
    /// }
    /// ```
    pub fn disconnect_topic(
        &self,
        topic: impl Into<ByteString>,
        code: impl Into<CloseCode>,
        reason: impl Into<ByteString>,
    ) {
        let frame = CloseFrame::new(code.into(), reason);
        self.append(Record::DisconnectTopic(topic.into(), frame));
    }

    /// Begins a graceful shutdown.
    ///
    /// The server accepts no more connections. Each existing connection gets everything that was
    /// published before, then a close frame with 1001. Then its `close` handler runs.
    ///
    /// `listen` and `serve` return when all connections are gone, at the latest two seconds after
    /// the app's [`shutdown_timeout`](crate::App::shutdown_timeout): one second for `close`
    /// handlers, one second for the last writes.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use harpia::prelude::*;
    ///
    /// #[tokio::main]
    /// async fn main() -> harpia::Result {
    ///     let app = App::new();
    ///     let hub = app.handle();
    ///     tokio::spawn(async move {
    ///         tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    ///         hub.shutdown();
    ///     });
    ///     app.listen("127.0.0.1:3000").await
    /// }
    /// ```
    pub fn shutdown(&self) {
        self.append(Record::Shutdown);
    }

    /// Waits until a shutdown has begun.
    pub(crate) async fn shutdown_begun(&self) {
        self.shared.log.shutdown_begun().await;
    }

    /// Cancels the waiting handlers of all connections; `close` handlers only if `with_close`.
    pub(crate) fn cancel(&self, with_close: bool) {
        self.append(Record::Cancel { with_close });
    }

    /// Closes one connection with a cause of the caller's choice, in the order of the log.
    pub(crate) fn disconnect_for(&self, id: ConnectionId, close: Close) {
        self.append(Record::Disconnect(id, close));
    }
}
