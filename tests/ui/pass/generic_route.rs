//! Routes with type parameters, lifetimes in them, const parameters and where clauses.

use std::fmt::Display;

use harpia::extract::{FromHandshake, Handshake, Rejection};
use harpia::prelude::*;

trait Store: Send + Sync + 'static {
    type User: Display + Send + Sync + 'static;
    fn user(&self) -> impl Future<Output = Option<Self::User>> + Send;
}

struct Memory;

impl Store for Memory {
    type User = u64;
    async fn user(&self) -> Option<u64> {
        Some(1)
    }
}

struct Visitor<U>(Option<U>);

impl<U: Send + 'static> FromHandshake for Visitor<U> {
    async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
        Ok(Self(None))
    }
}

struct Chat<S, const N: usize> {
    store: S,
}

#[ws_route("/chat", data = Visitor<S::User>)]
impl<S, const N: usize> Chat<S, N>
where
    S: Store,
{
    async fn open(&self, ws: &mut Socket<Visitor<S::User>>) -> HandlerResult {
        ws.data.0 = Some(self.store.user().await.or_close(1008, "who?")?);
        Ok(())
    }

    fn message(&self, ws: &mut Socket<Visitor<S::User>>, message: String) {
        if let Some(user) = &ws.data.0 {
            println!("{user} of {N}: {message}");
        }
    }
}

fn main() {
    let _ = App::new().ws(Chat::<_, 3> { store: Memory });
}
