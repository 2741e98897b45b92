//! Reading tokens from a message, or from a part of the handshake.

use crate::close::CloseCode;
use crate::error::{Error, OrClose, Result};
use crate::extract::{CredentialSource, Credentials};

use super::token_error::{INVALID_TOKEN, Reason};
use super::{Jwt, TokenError};

/// Methods that read a token from a handshake or a connection.
///
/// In a `connect` handler, pass the [`Handshake`](crate::extract::Handshake): a client without a
/// valid token then gets a 401. In `auth` and `open`, pass the [`Socket`](crate::Socket). Each
/// method verifies the token, makes the connection [expire](crate::Socket::expire_at) with it, and
/// returns the claims.
///
/// # Errors
///
/// [`Error::Close`] with 1008 "Invalid Token" if the token is missing or invalid. Its source is a
/// [`TokenError`], so it is a 401 in `connect`. [`Error::Config`] if a method that reads the
/// handshake is called after `open` has returned.
impl<C> Jwt<C> {
    /// Reads a token that is a message, or a part of one.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if the token is invalid.
    ///
    /// # Examples
    ///
    /// The first message goes to `auth` alone, so the token is not broadcast:
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
    /// # Fresh tokens
    ///
    /// A later message may hold a fresh token. The connection then closes when the fresh token
    /// expires. In this example all messages are JSON, and only `say` is broadcast. Check that the
    /// fresh token belongs to the same user:
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
    pub fn from_message(&self, from: &impl CredentialSource, token: &str) -> Result<C> {
        self.admit(from, Some(token), String::new)
    }

    /// Reads the token from a cookie, for browsers that are logged in.
    ///
    /// Set the cookie with `HttpOnly; Secure; SameSite=Lax`. A page of another origin is rejected
    /// in the handshake.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if the token is missing or invalid.
    /// [`Error::Config`] after `open` has returned. On a route with `origins = any` there are no
    /// cookies, so it is as if none was sent.
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
    pub fn from_cookie(&self, from: &impl CredentialSource, name: &str) -> Result<C> {
        let token = credentials(from)?.cookie(name);
        self.admit(from, token.as_deref(), || format!("cookie `{name}`"))
    }

    /// Reads the token from `Authorization: Bearer …`, for programs.
    ///
    /// A page in a browser cannot set this header.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if the token is missing or invalid.
    /// [`Error::Config`] after `open` has returned.
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
    pub fn from_bearer(&self, from: &impl CredentialSource) -> Result<C> {
        let token = credentials(from)?.bearer();
        self.admit(from, token, || "`Authorization` header".to_owned())
    }

    /// Reads the token from `Sec-WebSocket-Protocol: bearer, <token>`.
    ///
    /// Use it for browsers if the handshake must carry the token: `new WebSocket(url, ["bearer",
    /// token])`. The route must name the subprotocol `bearer`. The response names only `bearer`,
    /// never the token.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if the token is missing or invalid.
    /// [`Error::Config`] after `open` has returned.
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
    pub fn from_protocol(&self, from: &impl CredentialSource) -> Result<C> {
        let token = credentials(from)?.protocol();
        if token.is_some() && !from.has_protocol() {
            // A browser fails the connection if the response names none of its subprotocols, and
            // gives no reason.
            return Err(Error::Config {
                message: "the token came as a subprotocol, but the route speaks none: \
                          add `protocols = [\"bearer\"]`"
                    .to_owned(),
            });
        }
        self.admit(from, token, || "`Sec-WebSocket-Protocol` header".to_owned())
    }

    /// Reads the token from the query. Use it only if the client can do nothing else.
    ///
    /// **URLs are logged** by proxies, load balancers and monitoring, and are kept in the history
    /// of browsers. Any reader of those logs can use the token while it is valid. If you need this
    /// method, issue tokens for it that are valid for seconds, and let the client send a token with
    /// a longer lifetime [as a message](Self::from_message). harpia itself logs no query.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] with 1008 "Invalid Token" if the token is missing or invalid.
    /// [`Error::Config`] after `open` has returned.
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
    pub fn from_query(&self, from: &impl CredentialSource, name: &str) -> Result<C> {
        let token = credentials(from)?.query(name);
        self.admit(from, token.as_deref(), || {
            format!("query by the name `{name}`")
        })
    }

    fn admit(
        &self,
        from: &impl CredentialSource,
        token: Option<&str>,
        place: impl FnOnce() -> String,
    ) -> Result<C> {
        let read = token
            .ok_or_else(|| Reason::Absent(place()))
            .and_then(|token| self.read(token));
        let verified = read
            .map_err(TokenError::from)
            .or_close(CloseCode::POLICY, INVALID_TOKEN)?;
        from.expire_at(verified.expiry);
        Ok(verified.claims)
    }
}

fn credentials(from: &impl CredentialSource) -> Result<&Credentials> {
    from.credentials().ok_or_else(|| Error::Config {
        message: "the handshake's credentials are forgotten once `open` has returned: \
                  read the token in `auth` or `open`, and keep its claims in `ws.data`"
            .to_owned(),
    })
}
