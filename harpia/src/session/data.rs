//! What is done with a session's data: JSON in the store, a `T` in the program.
//!
//! Changes go through compare-and-set, so that none is lost whatever the store.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json::JsonError;
use crate::limits::MAX_SESSION_TRIES;
use crate::socket::Socket;

use super::{Session, SessionError, SessionId, Store};

/// What a session can hold: all that serde can write and read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a session",
    label = "not what a session can hold",
    note = "a type of your own needs `#[derive(serde::Deserialize, serde::Serialize)]`"
)]
pub trait SessionData: DeserializeOwned + Send + Serialize {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + Serialize> SessionData for T {}

impl<T: SessionData, S: Store> Session<T, S> {
    /// Makes a session with this data, under a new id.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer or has no room.
    pub async fn create(&self, data: T) -> Result<SessionId, SessionError> {
        let value = to_bytes(&data)?;
        let id = SessionId::random()?;
        match self
            .store
            .insert(&self.key(&id), value, self.config.ttl)
            .await?
        {
            true => Ok(id),
            // Of 2^128 ids: the random source is broken, and nobody may get another's session.
            false => Err(SessionError::unavailable("a new session's id is taken")),
        }
    }

    /// Returns a session's data, and gives the session its whole time again.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] where there is no session, [`SessionError::Unavailable`] where the
    /// store cannot answer.
    pub async fn get(&self, id: &SessionId) -> Result<T, SessionError> {
        from_bytes(&self.load(&self.key(id)).await?)
    }

    /// Returns the data of the session that the handshake's cookie names; in `auth` or `open`.
    ///
    /// # Errors
    ///
    /// As [`id_from_ws`](Self::id_from_ws) and [`get`](Self::get): with `?`, who has no session is
    /// closed with 1008 "Unauthorized", and one with 1013 "Try Again Later" if the store is down.
    pub fn from_ws<'a, D>(
        &'a self,
        ws: &Socket<D>,
    ) -> impl Future<Output = Result<T, SessionError>> + Send + use<'a, D, S, T> {
        // Read before the wait: a future that held the socket would ask for data that is `Sync`.
        let id = self.id_from_ws(ws);
        async move { self.get(&id?).await }
    }

    /// Changes a session's data, and gives the session its whole time again. Nothing is lost if
    /// others change it at the same time, on this node or another.
    ///
    /// Returns what the function returns. It is called anew, with the newest data, each time that
    /// another change came first; so it should have no effect but on the data.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] where there is no session, [`SessionError::Unavailable`] where the
    /// store cannot answer: it may then have been changed all the same.
    pub async fn update<F, R>(&self, id: &SessionId, mut change: F) -> Result<R, SessionError>
    where
        F: FnMut(&mut T) -> R + Send,
        R: Send,
    {
        let key = self.key(id);
        for _ in 0..MAX_SESSION_TRIES {
            let old = self.load(&key).await?;
            let mut data: T = from_bytes(&old)?;
            let result = change(&mut data);
            let new = to_bytes(&data)?;
            drop(data);
            if self.store.replace(&key, &old, new, self.config.ttl).await? {
                return Ok(result);
            }
        }
        Err(SessionError::unavailable("too many changes of one session"))
    }

    async fn load(&self, key: &str) -> Result<Bytes, SessionError> {
        let found = self.store.load(key, self.config.ttl).await?;
        found.ok_or(SessionError::NotFound)
    }
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
