//! The merge of a route's options with the app's defaults. Nothing here has a side effect.

use std::sync::Arc;

use crate::limits::Limits;
use crate::options::{Options, Origins, Scope};
use crate::protocol::handshake::Rules;

/// The app's defaults of the route options.
#[derive(Default)]
pub(super) struct Defaults {
    /// All options except `origins` and `protocols`. An app can choose these two at run time.
    pub(super) options: Options,
    pub(super) origins: Origins,
    pub(super) protocols: Vec<Arc<str>>,
}

impl Defaults {
    /// Returns the smallest message size that the server compresses: the minimum of all routes, or
    /// `None` if no route compresses.
    ///
    /// There is one size for the whole server, because a broadcast is compressed once, before its
    /// recipients are known. With one size per route, the same message would be compressed or not
    /// depending on the route that sent it.
    pub(super) fn compress_from<'a>(
        &self,
        routes: impl Iterator<Item = &'a Options>,
    ) -> Option<usize> {
        let sizes = routes.map(|route| self.limits(route).compression);
        sizes.flatten().min()
    }

    fn limits(&self, route: &Options) -> Limits {
        Limits::default().with(&self.options).with(route)
    }
}

/// The settings of one route: its own options, else the app's, else the defaults of [`Limits`].
pub(super) struct RouteConfig {
    pub(super) scope: Scope,
    pub(super) limits: Arc<Limits>,
    pub(super) rules: Rules,
}

impl RouteConfig {
    /// Merges a route's options with the app's defaults.
    pub(super) fn merge(
        defaults: &Defaults,
        route: &Options,
        compress_from: Option<usize>,
    ) -> Self {
        let mut limits = defaults.limits(route);
        limits.compression = limits.compression.and(compress_from);
        let own_protocols = route
            .protocols
            .map(|own| own.iter().map(|&name| name.into()).collect());
        Self {
            scope: route
                .broadcast
                .or(defaults.options.broadcast)
                .unwrap_or_default(),
            rules: Rules {
                origins: route.origins.as_ref().unwrap_or(&defaults.origins).clone(),
                protocols: own_protocols.unwrap_or_else(|| defaults.protocols.clone()),
                compression: limits.compression.is_some(),
            },
            limits: Arc::new(limits),
        }
    }
}
