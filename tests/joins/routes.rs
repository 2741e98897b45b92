//! The routes that clients join: `open` sync or async, each with and without `auth`.

use std::sync::Arc;

use harpia::prelude::*;

use crate::world::World;

/// The query of the routes with an async `open`.
#[derive(FromHandshake)]
pub(crate) struct Pause {
    /// Whether `open` awaits `before` or `after` it takes its snapshot.
    #[from(query)]
    awaits: String,
}

pub(crate) struct Sync(pub(crate) Arc<World>);

#[ws_route("/sync", broadcast = off)]
impl Sync {
    fn open(&self, ws: &mut Socket) {
        self.0.join(ws);
    }
}

pub(crate) struct Async(pub(crate) Arc<World>);

#[ws_route("/async", broadcast = off)]
impl Async {
    async fn open(&self, ws: &mut Socket<Pause>) {
        open_with_pause(&self.0, ws).await;
    }
}

pub(crate) struct SyncWithAuth(pub(crate) Arc<World>);

#[ws_route("/sync-with-auth", broadcast = off)]
impl SyncWithAuth {
    async fn auth(&self, _ws: &mut Socket, _first: String) -> HandlerResult {
        Ok(())
    }

    fn open(&self, ws: &mut Socket) {
        self.0.join(ws);
    }
}

pub(crate) struct AsyncWithAuth(pub(crate) Arc<World>);

#[ws_route("/async-with-auth", broadcast = off)]
impl AsyncWithAuth {
    async fn auth(&self, _ws: &mut Socket<Pause>, _first: String) -> HandlerResult {
        Ok(())
    }

    async fn open(&self, ws: &mut Socket<Pause>) {
        open_with_pause(&self.0, ws).await;
    }
}

/// Waits until at least three updates have happened, before or after the snapshot.
async fn open_with_pause(world: &World, ws: &Socket<Pause>) {
    if ws.data.awaits == "before" {
        world.grow_by(3).await;
    }
    world.join(ws);
    if ws.data.awaits == "after" {
        world.grow_by(3).await;
    }
}

/// The route of writers whose messages are broadcast automatically.
pub(crate) struct Senders(pub(crate) Arc<World>);

#[ws_route("/senders", rate = off)]
impl Senders {
    fn message(&self, _ws: &mut Socket, message: String) {
        self.0.note(&message);
    }
}

/// Makes an app with all routes.
pub(crate) fn app(world: &Arc<World>) -> App {
    App::new()
        .ws(Sync(Arc::clone(world)))
        .ws(Async(Arc::clone(world)))
        .ws(SyncWithAuth(Arc::clone(world)))
        .ws(AsyncWithAuth(Arc::clone(world)))
        .ws(Senders(Arc::clone(world)))
}
