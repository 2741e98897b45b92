//! What the opening of each connection needs of its server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::hub::Hub;

use super::http::Fallback;
use super::router::RouteTable;
use super::shutdown::ShutdownStage;

/// The state that all TCP connections of a server share.
pub(super) struct Context {
    pub(super) routes: Arc<RouteTable>,
    pub(super) fallback: Option<Fallback>,
    pub(super) hub: Hub,
    pub(super) stage: watch::Receiver<ShutdownStage>,
    pub(super) handshake_timeout: Duration,
}
