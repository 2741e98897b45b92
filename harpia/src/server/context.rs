//! The state that the opening of each connection needs: that of its server, and that of its client.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::sync::watch;

use crate::extract::RemoteAddr;
use crate::hub::Hub;
use crate::protocol::origin::X_FORWARDED_PROTO;

use super::admission::Admission;
use super::http::Fallback;
use super::proxies::Proxies;
use super::router::RouteTable;
use super::shutdown::ShutdownStage;
#[cfg(feature = "tls")]
use super::tls::Tls;

/// The state that all TCP connections of a server share.
pub(super) struct Context {
    pub(super) routes: Arc<RouteTable>,
    pub(super) fallback: Option<Fallback>,
    pub(super) hub: Hub,
    pub(super) stage: watch::Receiver<ShutdownStage>,
    pub(super) handshake_timeout: Duration,
    pub(super) admission: Admission,
    pub(super) proxies: Proxies,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
}

/// The facts about a client that are known before its request.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) address: RemoteAddr,
    /// Whether the client has used TLS, with harpia or with the proxy that has sent its header.
    pub(super) has_tls: bool,
}

impl Client {
    /// Replaces the address by the client's address in a request, if the peer is a trusted proxy.
    pub(super) fn behind(self, proxies: &Proxies, headers: &HeaderMap) -> Self {
        Self {
            address: proxies.client(self.address, headers),
            ..self
        }
    }

    /// Adds the header with which a proxy says that a request came over TLS, for the origin check
    /// and for the application.
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        if self.has_tls {
            headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static("https"));
        }
    }
}
