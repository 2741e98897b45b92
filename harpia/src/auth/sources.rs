//! Where a token stands: in a part of the handshake, or in a message.

use crate::close::CloseCode;
use crate::error::{Error, OrClose, Result};
use crate::extract::{AnyOrigin, Credentials};
use crate::socket::Socket;

use super::token_error::Reason;
use super::{Jwt, TokenError};

/// Tokens by where they stand.
///
/// Each verifies the token, has the connection [expire](Socket::expire_at) with it, and returns the
/// claims.
///
/// # Errors
///
/// [`Error::Close`] with 1008 "Invalid Token" where it is missing or refused; its source is a
/// [`TokenError`]. [`Error::Config`] for what is read of the handshake after `open` has returned.
impl<C> Jwt<C> {
    /// Reads a token that came as a message, or in one.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if it is refused.
    ///
    /// # Examples
    ///
    /// Until `auth` has returned `Ok` the connection takes part in nothing, so the token reaches
    /// nobody else, whatever is broadcast on the route:
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String }
    ///
    /// struct Chat { jwt: Jwt<Claims> }
    ///
    /// #[ws_route("/chat", auth_timeout = "3s")]
    /// impl Chat {
    ///     async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
    ///         let claims = self.jwt.from_message(ws, &first)?;
    ///         ws.send(format!("welcome, {}", claims.sub));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Extend
    ///
    /// A later message may bring a fresh token; the connection then lives until that one expires.
    /// Here all that is sent is JSON, and only `say` is broadcast. Compare whose the token is:
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String }
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "lowercase")]
    /// enum Request { Token(String), Say(String) }
    ///
    /// #[derive(FromHandshake)]
    /// struct User { #[from(default)] name: String }
    ///
    /// struct Chat { jwt: Jwt<Claims> }
    ///
    /// #[ws_route("/chat", data = User)]
    /// impl Chat {
    ///     async fn auth(&self, ws: &mut Socket<User>, first: String) -> HandlerResult {
    ///         ws.data.name = self.jwt.from_message(ws, &first)?.sub;
    ///         Ok(())
    ///     }
    ///
    ///     fn message(
    ///         &self,
    ///         ws: &mut Socket<User>,
    ///         Json(request): Json<Request>,
    ///     ) -> HandlerResult<Broadcast> {
    ///         match request {
    ///             Request::Say(text) => Ok(Broadcast::Replace(text.into())),
    ///             Request::Token(token) => {
    ///                 let fresh = self.jwt.from_message(ws, &token)?;
    ///                 (fresh.sub == ws.data.name).then_some(()).or_close(1008, "Invalid Token")?;
    ///                 Ok(Broadcast::Skip)
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    pub fn from_message<D>(&self, ws: &Socket<D>, token: &str) -> Result<C> {
        self.admit(ws, Some(token), String::new)
    }

    /// Reads the token from a cookie: for browsers that are logged in.
    ///
    /// Set it `HttpOnly; Secure; SameSite=Lax`. A page of another origin is refused before this.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if it is missing or refused; [`Error::Config`]
    /// after `open` has returned, and on a route where pages of any origin connect.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String }
    ///
    /// struct Feed { jwt: Jwt<Claims> }
    ///
    /// #[ws_route("/feed", broadcast = off)]
    /// impl Feed {
    ///     fn open(&self, ws: &mut Socket) -> HandlerResult {
    ///         let claims = self.jwt.from_cookie(ws, "token")?;
    ///         ws.send(format!("welcome, {}", claims.sub));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn from_cookie<D>(&self, ws: &Socket<D>, name: &str) -> Result<C> {
        let token = credentials(ws)?.cookie(name);
        let token = token.map_err(|AnyOrigin| Error::Config {
            message: "no token is read from a cookie where pages of any origin connect, since any \
                      page could act for its visitors: name the origins, as in \
                      `origins = [\"https://example.com\"]`"
                .to_owned(),
        })?;
        self.admit(ws, token.as_deref(), || format!("cookie `{name}`"))
    }

    /// Reads the token from `Authorization: Bearer …`: for programs, as browsers cannot set it.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if it is missing or refused; [`Error::Config`]
    /// after `open` has returned.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims { sub: String }
    /// # struct Feed { jwt: Jwt<Claims> }
    /// #[ws_route("/feed", broadcast = off)]
    /// impl Feed {
    ///     fn open(&self, ws: &mut Socket) -> HandlerResult {
    ///         let claims = self.jwt.from_bearer(ws)?;
    ///         ws.send(format!("welcome, {}", claims.sub));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn from_bearer<D>(&self, ws: &Socket<D>) -> Result<C> {
        let token = credentials(ws)?.bearer();
        self.admit(ws, token, || "`Authorization` header".to_owned())
    }

    /// Reads the token from `Sec-WebSocket-Protocol: bearer, <token>`.
    ///
    /// For browsers where the handshake must carry the token: `new WebSocket(url, ["bearer",
    /// token])`. The route speaks the subprotocol `bearer`, and only that name is answered.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if it is missing or refused; [`Error::Config`]
    /// after `open` has returned.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims { sub: String }
    /// # struct Feed { jwt: Jwt<Claims> }
    /// #[ws_route("/feed", broadcast = off, protocols = ["bearer"])]
    /// impl Feed {
    ///     fn open(&self, ws: &mut Socket) -> HandlerResult {
    ///         let claims = self.jwt.from_protocol(ws)?;
    ///         ws.send(format!("welcome, {}", claims.sub));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn from_protocol<D>(&self, ws: &Socket<D>) -> Result<C> {
        let token = credentials(ws)?.protocol();
        if token.is_some() && ws.protocol().is_none() {
            // A browser breaks off where none of what it offered is answered, and says no reason.
            return Err(Error::Config {
                message: "the token came as a subprotocol, but the route speaks none: \
                          add `protocols = [\"bearer\"]`"
                    .to_owned(),
            });
        }
        self.admit(ws, token, || "`Sec-WebSocket-Protocol` header".to_owned())
    }

    /// Reads the token from the query: only where a client can do nothing else.
    ///
    /// **URLs are logged**: by proxies, load balancers and monitoring between client and server,
    /// and kept in browser histories. Whoever reads those logs has the token while it is valid. If
    /// it must be, issue tokens for this alone that are valid for seconds, and have the client send
    /// a longer one [as a message](Self::from_message). harpia itself logs no query.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if it is missing or refused; [`Error::Config`]
    /// after `open` has returned.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims { sub: String }
    /// # struct Feed { jwt: Jwt<Claims> }
    /// #[ws_route("/feed", broadcast = off)]
    /// impl Feed {
    ///     fn open(&self, ws: &mut Socket) -> HandlerResult {
    ///         let claims = self.jwt.from_query(ws, "token")?;   // /feed?token=…
    ///         ws.send(format!("welcome, {}", claims.sub));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn from_query<D>(&self, ws: &Socket<D>, name: &str) -> Result<C> {
        let token = credentials(ws)?.query(name);
        self.admit(ws, token.as_deref(), || {
            format!("query by the name `{name}`")
        })
    }

    fn admit<D>(
        &self,
        ws: &Socket<D>,
        token: Option<&str>,
        place: impl FnOnce() -> String,
    ) -> Result<C> {
        let read = token
            .ok_or_else(|| Reason::Absent(place()))
            .and_then(|token| self.read(token));
        let verified = read
            .map_err(TokenError::from)
            .or_close(CloseCode::POLICY, "Invalid Token")?;
        ws.expire_at(verified.expiry);
        Ok(verified.claims)
    }
}

fn credentials<D>(ws: &Socket<D>) -> Result<&Credentials> {
    ws.credentials().ok_or_else(|| Error::Config {
        message: "the handshake's credentials are forgotten once `open` has returned: \
                  read the token in `auth` or `open`, and keep its claims in `ws.data`"
            .to_owned(),
    })
}
