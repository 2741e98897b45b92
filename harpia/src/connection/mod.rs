//! One connection, from its upgrade to its end: one task, with a hand-written `poll`.
//!
//! This module owns the order of events. [`input`] reads and decodes, [`handlers`] and [`call`] run
//! user code, [`close`] ends the connection. An idle connection owns no buffer: the read buffer
//! belongs to the thread, and everything rare, or owned by the user, is boxed in
//! [`ConnectionState`].
//!
//! ```text
//!            with `auth`
//!  Start ─────────────────► AwaitingFirstMessage ──► Authenticating ──► Authenticated
//!    │                               │                     │                 │
//!    │ without `auth`                │                     │ Err             │
//!    ▼                               │                     │                 │
//!  Opening ◄─────────────────────────┼─────────────────────┼─────────────────┘
//!    │ Ok            │ Err           │                     │
//!    ▼               ▼               │                     │
//!  Active ──────► Failing ◄──────────┼─────────────────────┘   `error` runs
//!    │               │               │
//!    └───────────────┴───────────────┴──► Flushing ──► Closing ──► Flushing ──► AwaitingPeerClose
//!      a close was requested              the close    `close`     if a slow    until the peer has
//!      or the client closed               frame waits  runs        client still closed, or a time
//!                                                                  owes reads   limit
//! ```

mod auth;
mod call;
mod close;
mod handlers;
mod input;
mod log;
mod messages;
mod rate;
mod state;
mod time_limit;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;

use crate::budget::Budget;
use crate::close::{Close, CloseCause};
use crate::hub::Hub;
use crate::log_limit::LogLimit;
use crate::protocol::Event;
use crate::route::Route;
use crate::socket::Socket;
use crate::transport::{Transport, TransportEvent};

use call::{HandlerCall, User, begin};
use handlers::{Drain, Finished, OnError, Open};
use input::{Input, InputState, ReadBuffer};
use state::ConnectionState;
pub(crate) use state::RouteContext;

/// The task of one connection.
pub(crate) struct Connection<R: Route> {
    transport: Arc<Transport>,
    user: User<R>,
    inbound: InputState,
    phase: Phase,
    /// Whether `open` was called and `close` was not yet, so that it has to be.
    owes_close: bool,
    /// Whether `open` has returned `Ok`, so that the close frame comes after all that was published
    /// before it: through the hub's log.
    opened: bool,
    /// Whether a broadcast waits for room in the hub's log.
    has_unsent: bool,
    hub: Hub,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Start,
    /// `auth` waits for the first message.
    AwaitingFirstMessage,
    Authenticating,
    /// `auth` has returned `Ok`.
    Authenticated,
    Opening,
    Active,
    /// `error` was called, or is; then the connection closes.
    Failing(Failure),
    /// The close frame is on its way out.
    Flushing,
    /// `close` was called.
    Closing,
    /// The peer is read until it has closed too, or a reset could destroy our close frame.
    AwaitingPeerClose,
}

impl Phase {
    /// What the peer's unfinished input counts against: who is not in takes none of those who are.
    fn input_budget<R: Route>(self, hub: &Hub) -> &Arc<Budget> {
        match self {
            Self::Start | Self::AwaitingFirstMessage | Self::Authenticating if R::AUTHENTICATES => {
                hub.unauthenticated_input_budget()
            }
            _ => hub.input_budget(),
        }
    }
}

/// What `error` was called for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Failure {
    /// `open` failed, which decides the close frame whatever was asked for meanwhile.
    Open,
    /// Another handler failed, or the peer was too slow.
    Handler,
    /// The peer broke a rule: it does not get what waits for it.
    Violation,
}

/// What a step leads to.
enum Step {
    Again,
    Wait,
    Done,
}

/// After so many messages other tasks of this thread get their turn.
const MESSAGES_PER_POLL: usize = 512;

impl<R: Route> Connection<R> {
    pub(crate) fn new(
        shared: Arc<RouteContext<R>>,
        socket: Socket<R::Data>,
        parameters: R::Parameters,
        transport: Arc<Transport>,
        first_bytes: &[u8],
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let hub = shared.hub.clone();
        hub.enter(Arc::clone(&transport), shared.id, R::AUTHENTICATES);
        let state = ConnectionState::new(shared, socket, parameters, permit);
        Self {
            transport,
            user: User::Idle(Box::new(state)),
            inbound: InputState::new(first_bytes, Phase::Start.input_budget::<R>(&hub)),
            phase: Phase::Start,
            owes_close: false,
            opened: false,
            has_unsent: false,
            hub,
        }
    }

    fn now(&self) -> u32 {
        self.hub.clock().now()
    }

    fn step(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Step {
        match self.phase {
            Phase::Start => {
                if let Some(close) = self.transport.requested_close() {
                    // The server was shut down while it upgraded: nothing is begun any more.
                    return self.leave_hub(&close);
                }
                if R::AUTHENTICATES {
                    self.await_first()
                } else {
                    self.open()
                }
            }
            Phase::AwaitingFirstMessage => self.step_awaiting_first_message(context, buffer),
            Phase::Authenticated => self.step_authenticated(context, buffer),
            Phase::Active => self.step_active(context, buffer),
            Phase::Flushing => self.step_flushing(),
            Phase::AwaitingPeerClose => self.step_awaiting_peer_close(context, buffer),
            // These wait for user code, which is asked for before a step.
            Phase::Authenticating | Phase::Opening | Phase::Failing(_) | Phase::Closing => {
                Step::Wait
            }
        }
    }

    fn step_active(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Step {
        if self.has_unsent && self.poll_unsent(context).is_pending() {
            return Step::Wait;
        }
        self.has_unsent = false;
        if !self.transport.has_no_events() {
            match self.transport.next_event() {
                TransportEvent::None => {}
                TransportEvent::Close(close) => return self.begin_close(&close),
                TransportEvent::Skipping => return self.log_skipping(),
                TransportEvent::Drained => return self.call(Drain),
            }
        }
        if !self.hub.has_room() && self.poll_room(context).is_pending() {
            return Step::Wait;
        }
        let limits = input::limits(&self.transport, self.hub.input_budget());
        let input = self.inbound.next(context, &self.transport, buffer, &limits);
        self.take_input(input, buffer)
    }

    fn take_input(&mut self, input: Input, buffer: &mut ReadBuffer) -> Step {
        match input {
            Input::Event(event) => self.handle(event, buffer),
            Input::Heard => {
                self.transport.liveness.heard(self.now());
                Step::Again
            }
            Input::Violation(violation) => self.report(violation.into(), Failure::Violation),
            Input::Ended => self.begin_close(&Close::of(CloseCause::Lost)),
            Input::Wait => Step::Wait,
        }
    }

    fn handle(&mut self, event: Event, buffer: &mut ReadBuffer) -> Step {
        match event {
            Event::Message(message) => self.handle_message(message, buffer),
            Event::Ping(payload) => {
                self.transport.pong(&payload);
                Step::Again
            }
            Event::Pong => Step::Again,
            Event::Close(frame) => self.begin_close(&Close::new(CloseCause::Client, frame)),
        }
    }

    /// Calls a handler. One that does not wait is done when this returns.
    fn call(&mut self, call: impl HandlerCall<R>) -> Step {
        match begin(&mut self.user, call) {
            Some(finished) => self.finished(finished),
            None => Step::Again,
        }
    }

    /// Polls the handler that waits, if one does.
    fn poll_user(&mut self, context: &mut Context<'_>) -> Option<Step> {
        let User::Waiting(waiting) = &mut self.user else {
            return None;
        };
        match waiting.as_mut().poll(context) {
            Poll::Pending => {
                self.transport.liveness.pause();
                Some(Step::Wait)
            }
            Poll::Ready((state, finished)) => {
                self.user = User::Idle(state);
                self.transport.liveness.heard(self.now());
                Some(self.finished(finished))
            }
        }
    }

    fn finished(&mut self, finished: Finished) -> Step {
        if self.phase == Phase::Opening {
            self.transport.set_opening(false);
        }
        match (finished, self.phase) {
            (Finished::Failed(error), Phase::Closing) => self.call(OnError(error)),
            (Finished::Failed(error), Phase::Opening) => {
                self.hub.refuse(self.transport.id().slot());
                self.report(error, Failure::Open)
            }
            (Finished::Failed(error), _) => self.report(error, Failure::Handler),
            (Finished::Reported(close), Phase::Failing(failure)) => {
                self.close_after_error(close, failure)
            }
            (Finished::Cancelled, Phase::Opening) => self.cancel_open(),
            (_, Phase::Closing) => {
                self.phase = Phase::Flushing;
                Step::Again
            }
            (_, Phase::Authenticating) => {
                self.phase = Phase::Authenticated;
                Step::Again
            }
            (_, Phase::Opening) => self.activate(),
            (Finished::Broadcast(message), _) => self.broadcast(&message),
            (Finished::Done | Finished::Cancelled | Finished::Reported(_), _) => Step::Again,
        }
    }

    fn open(&mut self) -> Step {
        if R::AUTHENTICATES {
            self.hub.open(self.transport.id().slot());
        }
        self.transport.set_opening(true);
        self.phase = Phase::Opening;
        self.owes_close = true;
        self.call(Open)
    }

    /// `open` has returned `Ok`. A connection that was closed meanwhile never becomes active.
    fn activate(&mut self) -> Step {
        match self.transport.cause() {
            None => {
                self.opened = true;
                if let Some(state) = self.user.idle() {
                    self.hub
                        .activate(&self.transport, state.socket.take_pending());
                }
            }
            Some(CloseCause::Handler) => self.hub.refuse(self.transport.id().slot()),
            // The hub ended it while `open` ran: the client gets what was published before.
            Some(_) => self.opened = true,
        }
        self.phase = Phase::Active;
        Step::Again
    }

    fn run(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Poll<()> {
        for _ in 0..MESSAGES_PER_POLL {
            if !self.transport.has_no_events() {
                // What waits for the peer flows whatever else is under way.
                let _ = self.transport.poll_drain(context);
            }
            let step = match self.poll_user(context) {
                Some(step) => step,
                None => self.step(context, buffer),
            };
            match step {
                Step::Again => {}
                Step::Wait => return Poll::Pending,
                Step::Done => return Poll::Ready(()),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<R: Route> Future for Connection<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.transport.attach(context.waker());
        let mut buffer = ReadBuffer::lend();
        let polled = this.run(context, &mut buffer);
        let budget = this.phase.input_budget::<R>(&this.hub);
        this.inbound.give_back(buffer, budget);
        this.transport.uncork();
        polled
    }
}

/// The futures inside are boxed, and nothing here is pinned by its place.
impl<R: Route> Unpin for Connection<R> {}

/// Also runs when the runtime drops the task before its transport.
impl<R: Route> Drop for Connection<R> {
    fn drop(&mut self) {
        self.hub.deactivate(&self.transport);
        let user = std::mem::replace(&mut self.user, User::Lent);
        // The user's data may panic as it is dropped; the worker thread must not.
        if catch_unwind(AssertUnwindSafe(|| drop(user))).is_err() {
            static PANICS: LogLimit = LogLimit::new();
            if let Some(suppressed) = PANICS.admit() {
                tracing::error!(
                    route = R::PATH,
                    suppressed,
                    "connection data panicked in drop"
                );
            }
        }
        // Last, since what is dropped may still name its place, which is another's from here on.
        self.hub.leave(self.transport.id().slot());
        self.transport.release_task();
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::{PathValues, Rejection};

    use super::*;

    struct Chat;

    impl Route for Chat {
        const PATH: &'static str = "/chat";
        type Data = ();
        type Parameters = ();

        fn parameters(_: &PathValues) -> Result<(), Rejection> {
            Ok(())
        }
    }

    struct Guarded;

    impl Route for Guarded {
        const PATH: &'static str = "/guarded";
        const AUTHENTICATES: bool = true;
        type Data = ();
        type Parameters = ();

        fn parameters(_: &PathValues) -> Result<(), Rejection> {
            Ok(())
        }
    }

    #[test]
    fn who_is_not_in_yet_takes_no_input_memory_of_those_who_are() {
        let hub = Hub::new();
        for phase in [
            Phase::Start,
            Phase::AwaitingFirstMessage,
            Phase::Authenticating,
        ] {
            let budget = phase.input_budget::<Guarded>(&hub);
            assert!(
                Arc::ptr_eq(budget, hub.unauthenticated_input_budget()),
                "{phase:?}"
            );
        }
        for phase in [Phase::Authenticated, Phase::Opening, Phase::Active] {
            let budget = phase.input_budget::<Guarded>(&hub);
            assert!(Arc::ptr_eq(budget, hub.input_budget()), "{phase:?}");
        }
    }

    #[test]
    fn without_auth_whoever_connects_is_in() {
        let hub = Hub::new();
        for phase in [Phase::Start, Phase::Opening, Phase::Active] {
            let budget = phase.input_budget::<Chat>(&hub);
            assert!(Arc::ptr_eq(budget, hub.input_budget()), "{phase:?}");
        }
    }

    #[test]
    fn an_idle_connections_future_is_at_most_104_bytes() {
        let size = size_of::<Connection<Chat>>();
        println!("a connection's task is {size} bytes");
        assert!(size <= 104, "{size} bytes");
    }
}
