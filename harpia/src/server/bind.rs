//! Starting an app: check the settings, build the routes, bind the address.

use std::fmt;
use std::sync::Arc;

use tokio::net::{TcpListener, ToSocketAddrs};

use crate::error::{Error, Result};

use super::app::App;
use super::check;
use super::route_config::RouteConfig;
use super::serve::{Server, StopOnDrop};
use super::shutdown::Signals;

/// # Start
impl App {
    /// Serves until Ctrl-C, SIGTERM or [`Hub::shutdown`], then shuts down gracefully.
    ///
    /// [`Hub::shutdown`]: crate::Hub::shutdown
    ///
    /// Logs the address and the routes at level `INFO`:
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
    pub async fn listen(self, address: impl ToSocketAddrs + fmt::Debug) -> Result {
        let server = self.bind(address).await?;
        let signals = Signals::listen()?;
        let (address, routes) = (server.local_addr, &server.routes);
        tracing::info!("listening on http://{address}, routes: {routes}");
        server.serve_with(signals).await;
        Ok(())
    }

    /// Builds the routes and binds the address. With port 0, the system chooses a free port.
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
    /// running.await.unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bind(self, address: impl ToSocketAddrs + fmt::Debug) -> Result<Server> {
        let defaults = &self.defaults;
        check::app(&defaults.options, &defaults.origins, &defaults.protocols)?;
        let compress_from = defaults.compress_from(self.router.options());
        let routes = self.router.build(&self.hub, |route| {
            RouteConfig::merge(defaults, route, compress_from)
        })?;
        if self.max_connections == 0 {
            return Err(Error::Config {
                message: "`max_connections` is 0, so no client could connect".into(),
            });
        }
        let listener = TcpListener::bind(&address).await;
        let listener = listener.map_err(|source| Error::Listen {
            address: as_given(&address),
            source,
        })?;
        let local_addr = listener.local_addr()?;
        if let Some(length) = compress_from {
            self.hub.compress_from(length);
        }
        self.hub.start()?;
        Ok(Server {
            listener,
            local_addr,
            routes: Arc::new(routes),
            fallback: self.fallback,
            stop: StopOnDrop(self.hub.clone()),
            hub: self.hub,
            max_connections: self.max_connections,
            shutdown_timeout: self.shutdown_timeout,
            handshake_timeout: self.handshake_timeout,
        })
    }
}

/// Returns the address as the program wrote it, without the quotes of a string.
fn as_given(address: &impl fmt::Debug) -> String {
    let text = format!("{address:?}");
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map(str::to_owned).unwrap_or(text)
}
