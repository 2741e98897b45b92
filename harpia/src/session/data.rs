//! Operations on the data of a session: JSON in the store, a `T` in the program.
//!
//! Changes use compare-and-set, so that none is lost in any store.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::extract::CredentialSource;
use crate::json::JsonError;
use crate::limits::MAX_SESSION_TRIES;

use super::stamped::{self, Stamped};
use super::{Session, SessionError, SessionId, Store};

/// The type of a session's data: any `Send` type that serde can serialize and deserialize.
///
/// ```
/// use harpia::session::SessionData;
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Visitor { name: String, visits: u32 }
///
/// fn is_session_data<T: SessionData>() {}
/// is_session_data::<Visitor>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a session",
    label = "not session data",
    note = "a type of your own needs `#[derive(serde::Deserialize, serde::Serialize)]`"
)]
pub trait SessionData: DeserializeOwned + Send + Serialize {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + Serialize> SessionData for T {}

/// The functions that write and read the data of a session.
///
/// They are chosen where sessions are made. So a type that cannot be session data is an error
/// there, and not again wherever a handler reads a session.
pub(super) struct Format<T> {
    write: fn(&T) -> Result<Bytes, SessionError>,
    read: fn(&[u8]) -> Result<T, SessionError>,
}

impl<T: SessionData> Format<T> {
    pub(super) fn json() -> Self {
        Self {
            write: to_bytes,
            read: from_bytes,
        }
    }
}

impl<T> Clone for Format<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Format<T> {}

impl<T, S: Store> Session<T, S> {
    /// Makes a session with this data, and returns its new id.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer or has no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> HandlerResult {
    /// let sessions = Session::<String>::memory();
    /// let id = sessions.create("Ada".to_owned()).await?;
    /// let set_cookie = sessions.cookie(&id);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, data: T) -> Result<SessionId, SessionError> {
        let data = (self.format.write)(&data)?;
        let made = stamped::now();
        let value = Stamped { made, data: &data }.to_value();
        let id = SessionId::random()?;
        match self
            .store
            .insert(&self.key(&id), value, self.config.ttl)
            .await?
        {
            true => Ok(id),
            // One of 2^128 ids is taken: the random source is broken. Do not give out the session.
            false => Err(SessionError::unavailable("a new session's id is taken")),
        }
    }

    /// Returns the data of a session, and renews its time to live.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] if the session does not exist. [`SessionError::Unavailable`] if
    /// the store cannot answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> HandlerResult {
    /// let sessions = Session::<String>::memory();
    /// let id = sessions.create("Ada".to_owned()).await?;
    /// assert_eq!(sessions.get(&id).await?, "Ada");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: &SessionId) -> Result<T, SessionError> {
        let value = self.load(&self.key(id)).await?;
        let Stamped { data, .. } = read(&value)?;
        (self.format.read)(data)
    }

    /// Returns the data of the session that the handshake's cookie names.
    ///
    /// In a `connect` handler, pass the [`Handshake`](crate::extract::Handshake). With `?`, a
    /// client without a session gets a 401.
    ///
    /// In `auth` or `open`, pass the [`Socket`](crate::Socket). With `?`, a connection without a
    /// session is closed with 1008 "Unauthorized". If the store is down, it is closed with 1013
    /// "Try Again Later".
    ///
    /// # Errors
    ///
    /// The errors of [`id_from_ws`](Self::id_from_ws) and [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Updates { sessions: Session<String> }
    ///
    /// #[ws_route("/updates", broadcast = off)]
    /// impl Updates {
    ///     async fn connect(&self, request: &Handshake) -> HandlerResult<String> {
    ///         Ok(self.sessions.from_ws(request).await?)
    ///     }
    ///
    ///     fn open(&self, ws: &mut Socket<String>) {
    ///         ws.send(format!("welcome, {}", ws.data));
    ///     }
    /// }
    /// ```
    pub fn from_ws<'a, C: CredentialSource>(
        &'a self,
        from: &C,
    ) -> impl Future<Output = Result<T, SessionError>> + Send + use<'a, C, S, T> {
        // The id is read before the wait. A future that holds a socket would need `Sync` data.
        let id = self.id_from_ws(from);
        async move { self.get(&id?).await }
    }

    /// Changes the data of a session, and returns the function's result.
    ///
    /// This renews the session's time to live.
    ///
    /// No change is lost if others change the session at the same time, on this node or another.
    /// The function is called again, with the newest data, whenever another change came first. So
    /// it should have no effect except on the data.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] if the session does not exist. [`SessionError::Unavailable`] if
    /// the store cannot answer. The change may have happened in that case.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> HandlerResult {
    /// let sessions = Session::<Vec<String>>::memory();
    /// let id = sessions.create(Vec::new()).await?;
    /// let count = sessions.update(&id, |cart| {
    ///     cart.push("tea".to_owned());
    ///     cart.len()
    /// }).await?;
    /// assert_eq!(count, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update<F, R>(&self, id: &SessionId, mut change: F) -> Result<R, SessionError>
    where
        F: FnMut(&mut T) -> R + Send,
        R: Send,
    {
        let key = self.key(id);
        for _ in 0..MAX_SESSION_TRIES {
            let old = self.load(&key).await?;
            let Stamped { made, data } = read(&old)?;
            let mut data = (self.format.read)(data)?;
            let result = change(&mut data);
            let new = (self.format.write)(&data)?;
            drop(data);
            let new = Stamped { made, data: &new }.to_value();
            if self.store.replace(&key, &old, new, self.config.ttl).await? {
                return Ok(result);
            }
        }
        Err(SessionError::unavailable("too many changes of one session"))
    }

    async fn load(&self, key: &str) -> Result<Bytes, SessionError> {
        let found = self.store.load(key, self.config.ttl).await?;
        let value = found.ok_or(SessionError::NotFound)?;
        if read(&value)?.is_over(self.config.max_age, stamped::now()) {
            self.store.remove(key).await?;
            return Err(SessionError::NotFound);
        }
        Ok(value)
    }
}

fn read(value: &[u8]) -> Result<Stamped<'_>, SessionError> {
    Stamped::read(value).ok_or_else(|| SessionError::Data {
        problem: "it has no time at which it was made".to_owned(),
    })
}

fn to_bytes<T: Serialize>(data: &T) -> Result<Bytes, SessionError> {
    let json =
        serde_json::to_vec(data).map_err(|error| SessionError::data(&JsonError::new(&error)))?;
    Ok(json.into())
}

fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> Result<T, SessionError> {
    serde_json::from_slice(json)
        .map_err(|error| SessionError::data(&JsonError::located::<T>(&error, json)))
}
