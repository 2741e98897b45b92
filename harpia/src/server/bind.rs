//! Starting an app: check the settings, build the routes, bind the address.

use std::sync::Arc;

use crate::error::{Error, Result};

use super::app::App;
use super::check;
use super::listen::{IntoListeners, ListenOptions};
use super::open_files;
use super::route_config::RouteConfig;
use super::serve::{Server, StopOnDrop};
use super::shutdown::Signals;

/// # Start
impl App {
    /// Serves until Ctrl-C, SIGTERM or [`Hub::shutdown`], then shuts down gracefully.
    ///
    /// [`Hub::shutdown`]: crate::Hub::shutdown
    ///
    /// It takes an address, a Unix socket, or anything else that is [`IntoListeners`].
    ///
    /// Logs the addresses and the routes at level `INFO`:
    /// `listening on http://127.0.0.1:3000, routes: /chat, /rooms/{room}`. [`bind`](Self::bind) and
    /// [`Server::serve`] do not log this line, because their program knows
    /// [the address](Server::local_addr) and can print it itself.
    ///
    /// Only this method handles the signals. [`bind`](Self::bind) and [`Server::serve`] leave them
    /// to the program. A second signal ends [`shutdown_timeout`](Self::shutdown_timeout) at once:
    /// handlers that still wait are canceled. A third cancels `close` handlers too.
    ///
    /// # Errors
    ///
    /// The errors of [`bind`](Self::bind).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the server stops accepting and closes all connections with 1001.
    /// Their `close` handlers still run.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use harpia::prelude::*;
    ///
    /// struct Echo;
    ///
    /// #[ws_route("/echo", broadcast = off)]
    /// impl Echo {
    ///     fn message(&self, ws: &mut Socket, message: String) {
    ///         ws.send(message);
    ///     }
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> harpia::Result {
    ///     App::new().ws(Echo).listen("127.0.0.1:3000").await
    /// }
    /// ```
    pub async fn listen(self, listener: impl IntoListeners) -> Result {
        let server = self.bind(listener).await?;
        let signals = Signals::listen()?;
        let addresses: Vec<_> = server.local_urls().collect();
        let (addresses, routes) = (addresses.join(", "), &server.routes);
        tracing::info!("listening on {addresses}, routes: {routes}");
        server.serve_with(signals).await
    }

    /// Builds the routes and opens the listeners. With port 0, the system chooses a free port.
    ///
    /// Unlike [`listen`](Self::listen), this does not handle Ctrl-C and SIGTERM.
    /// [`Server::serve`] has an example that does.
    ///
    /// # Errors
    ///
    /// - [`Error::DuplicateRoute`] if two routes match the same paths.
    /// - [`Error::Config`] if a path or a setting is invalid.
    /// - [`Error::Listen`] if the address cannot be bound.
    /// - [`Error::Io`] if the operating system refuses something else, such as a thread.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped, the address is not bound.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> harpia::Result {
    /// use harpia::App;
    ///
    /// let server = App::new().bind("127.0.0.1:0").await?;
    /// println!("listening on {}", server.local_addr());
    /// let hub = server.handle();
    /// let running = tokio::spawn(server.serve());
    /// hub.shutdown();
    /// running.await.unwrap()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bind(self, listener: impl IntoListeners) -> Result<Server> {
        let defaults = &self.defaults;
        check::app(&defaults.options, &defaults.origins, &defaults.protocols)?;
        let compress_from = defaults.compress_from(self.router.options());
        let routes = self.router.build(&self.hub, |route| {
            RouteConfig::merge(defaults, route, compress_from)
        })?;
        for (name, limit) in [
            ("max_connections", self.max_connections),
            (
                "max_connections_per_address",
                self.max_connections_per_address,
            ),
        ] {
            if limit == Some(0) {
                return Err(Error::Config {
                    message: format!("`{name}` is 0, so no client could connect"),
                });
            }
        }
        let mut proxies = self.proxies;
        for proxy in &self.trusted_proxies {
            proxies.trust(proxy)?;
        }
        proxies.check()?;
        let options = ListenOptions {
            reuse_port: self.reuse_port,
        };
        let listeners = listener.into_listeners(&options).await?;
        if listeners.0.is_empty() {
            return Err(Error::Config {
                message: "there is no listener, so no client could connect".into(),
            });
        }
        if let Some(length) = compress_from {
            self.hub.compress_from(length);
        }
        self.hub.set_budgets(self.backlog_budget, self.input_budget);
        self.hub.start()?;
        Ok(Server {
            listeners,
            routes: Arc::new(routes),
            fallback: self.fallback,
            stop: StopOnDrop(self.hub.clone()),
            hub: self.hub,
            max_connections: open_files::max_connections(self.max_connections),
            max_connections_per_address: self.max_connections_per_address,
            shutdown_timeout: self.shutdown_timeout,
            handshake_timeout: self.handshake_timeout,
            proxies,
            #[cfg(feature = "tls")]
            tls: self.tls,
        })
    }
}
