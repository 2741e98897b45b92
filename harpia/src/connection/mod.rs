//! One connection, from its upgrade to its end: one task with a hand-written `poll`.
//!
//! This file owns the order of events: the `poll` loop and the step of each phase. [`task`] is the
//! data of the task, and [`phase`] names the phases. [`input`] reads and decodes. [`call`] runs
//! user code, and [`handlers`] knows the arguments and results of each handler. [`auth`],
//! [`messages`] and [`close`] are the steps of their phases.
//!
//! An idle connection owns no buffer: the read buffer belongs to the worker thread. Rare state and
//! the user's data are boxed in [`ConnectionState`](state::ConnectionState).
//!
//! ```text
//!            with `auth`
//!  Start ─────────────────► AwaitingFirstMessage ──► Authenticating ──► Authenticated
//!    │                                                                       │
//!    │ without `auth`                                                        │
//!    ▼                                                                       │
//!  Opening ◄─────────────────────────────────────────────────────────────────┘
//!    │ `open` returned Ok
//!    ▼
//!  Opened
//!
//!  from any of these phases:
//!    ├─ a handler failed, or the cause of the close is one that `error` gets ──► Failing ─┐
//!    └─ the client has closed, or another close was requested ──────────┐                 │
//!                                                                       ▼                 ▼
//!  AwaitingPeerEnd ◄── AwaitingPeerClose ◄── everything is written ── Flushing ◄──────────┘
//!                                                                      │    ▲
//!                                                     `close` is due   ▼    │ it returned
//!                                                                      Closing
//! ```
//!
//! If `close` fails, `error` is called within `Closing`. If the socket is lost, the connection is
//! over instead of waiting for its peer.

mod auth;
mod call;
mod close;
mod closing;
mod handlers;
mod input;
mod log;
mod messages;
mod phase;
mod rate;
mod state;
mod task;
mod throttle;
mod time_limit;
mod unfinished;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::close::{Close, CloseCause};
use crate::protocol::Event;
use crate::route::Route;
use crate::transport::TransportEvent;

use call::{Finished, HandlerCall, User, begin};
use handlers::{Drain, OnError, Open};
use input::{Input, ReadBuffer};
use phase::{Failure, Phase, Step};
pub(crate) use state::RouteContext;
pub(crate) use task::Connection;

/// The number of steps in one poll, after which the worker thread runs other tasks.
const STEPS_PER_POLL: usize = 512;

/// The time for one poll, after which the worker thread runs other tasks.
///
/// 500 us: with a hundred busy connections on a thread, each has its turn within 50 ms.
const TIME_PER_POLL: Duration = Duration::from_micros(500);

/// Returns whether to look at the clock at this step.
///
/// Not in the polls of one message, which have three steps, and rarely in those of many.
fn is_time_to_look(step: usize) -> bool {
    matches!(step, 4 | 8) || step.is_multiple_of(16)
}

impl<R: Route> Future for Connection<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Race: another thread requests a close after a step of this poll has looked for events. If
        // no waker were stored by then, nothing would poll the task again. The waker is therefore
        // stored before the first look.
        this.transport.attach(context.waker());
        let mut buffer = ReadBuffer::lend();
        let polled = this.run(context, &mut buffer);
        this.add_cost(buffer.take_cost());
        let budget = this.phase.input_budget::<R>(&this.hub);
        this.inbound.give_back(buffer, budget);
        this.time_input();
        this.transport.uncork();
        if this.transport.poll_flush(context) {
            context.waker().wake_by_ref();
        }
        polled
    }
}

/// A connection may move. Only the futures of handlers are pinned, and these are boxed.
impl<R: Route> Unpin for Connection<R> {}

impl<R: Route> Connection<R> {
    /// Makes steps until one has to wait. Stops after `STEPS_PER_POLL` or `TIME_PER_POLL`, so that
    /// other tasks can run.
    fn run(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Poll<()> {
        let mut began = None;
        for step in 1..=STEPS_PER_POLL {
            if is_time_to_look(step)
                && began.get_or_insert_with(Instant::now).elapsed() > TIME_PER_POLL
            {
                break;
            }
            if !self.transport.has_no_events() {
                // The outbox is written in every phase, also while a handler waits.
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

    fn step(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Step {
        match self.phase {
            Phase::Start => self.step_start(),
            Phase::AwaitingFirstMessage => self.step_awaiting_first_message(context, buffer),
            Phase::Authenticated => self.step_authenticated(context, buffer),
            Phase::Opened => self.step_opened(context, buffer),
            Phase::Flushing => self.step_flushing(context, buffer),
            Phase::AwaitingPeerClose => self.step_awaiting_peer_close(context, buffer),
            Phase::AwaitingPeerEnd => self.step_awaiting_peer_end(context, buffer),
            // In these phases a handler runs, and `run` calls `poll_user` instead of this method.
            Phase::Authenticating | Phase::Opening | Phase::Failing(_) | Phase::Closing => {
                Step::Wait
            }
        }
    }

    fn step_start(&mut self) -> Step {
        // Race: the server may begin to shut down while this connection is upgraded. The shutdown
        // closes the connections in the hub's table, and this connection is not in the table yet.
        // `Hub::enter` requests the close in that case. The close takes effect here, before any
        // handler is called.
        if let Some(close) = self.transport.requested_close() {
            return self.begin_flushing(&close);
        }
        if R::AUTHENTICATES {
            self.await_first_message()
        } else {
            self.open()
        }
    }

    fn step_opened(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Step {
        if self.has_unpublished && self.poll_unpublished(context).is_pending() {
            return Step::Wait;
        }
        self.has_unpublished = false;
        if !self.transport.has_no_events() {
            match self.transport.next_event() {
                TransportEvent::None => {}
                TransportEvent::Close(close) => return self.begin_close(&close),
                TransportEvent::Skipping => return self.log_skipping(),
                TransportEvent::Drained => return self.call(Drain),
            }
        }
        if buffer.cost() >= throttle::CHARGE_AT {
            self.add_cost(buffer.take_cost());
        }
        let has_room = self.hub.has_room() || self.poll_room(context).is_ready();
        if !has_room || self.poll_throttle().is_pending() {
            // A client that is not read is not idle.
            self.transport.liveness.pause();
            return Step::Wait;
        }
        if self.transport.liveness.is_paused() {
            self.transport.liveness.heard(self.now());
        }
        let limits = input::limits(&self.transport, self.hub.input_budget());
        let input = self.inbound.next(context, &self.transport, buffer, &limits);
        self.take_input(input, buffer)
    }

    fn take_input(&mut self, input: Input, buffer: &mut ReadBuffer) -> Step {
        match input {
            Input::Event(event) => self.handle(event, buffer),
            Input::Heard => {
                self.add_cost(buffer.take_cost());
                self.transport.liveness.heard(self.now());
                Step::Again
            }
            Input::Violation(violation) => self.report(violation.into(), Failure::Peer),
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

    /// Calls a handler. An inline handler has finished when this method returns. `poll_user` polls
    /// any other handler.
    fn call(&mut self, call: impl HandlerCall<R>) -> Step {
        match begin(&mut self.user, call) {
            Some(finished) => self.finished(finished),
            None => Step::Again,
        }
    }

    /// Polls the waiting handler. Returns `None` if no handler waits.
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
                self.hub.never_opened(self.transport.id().slot());
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
            self.hub.authenticated(self.transport.id().slot());
        }
        self.transport.set_opening(true);
        self.phase = Phase::Opening;
        self.needs_close_handler = true;
        self.call(Open)
    }

    /// Activates the connection in the hub, after `open` has returned `Ok`.
    ///
    /// If a close was requested while `open` ran, the connection enters `Opened` without being
    /// activated. The first step there finds the close.
    ///
    /// Race: another task may close the connection while this method runs, and a closed connection
    /// must not become active. `Hub::activate` therefore looks for a close again.
    fn activate(&mut self) -> Step {
        match self.transport.cause() {
            None => {
                self.closes_through_log = true;
                if let Some(state) = self.user.idle() {
                    self.hub
                        .activate(&self.transport, state.socket.take_pending());
                }
            }
            Some(CloseCause::Handler) => self.hub.never_opened(self.transport.id().slot()),
            // The hub closed the connection. The client still gets what was published before that.
            Some(_) => self.closes_through_log = true,
        }
        self.phase = Phase::Opened;
        Step::Again
    }
}

#[cfg(test)]
mod tests {
    use crate::error::BoxError;
    use crate::extract::{Handshake, PathValues, Rejection};

    use super::*;

    struct Chat;

    impl Route for Chat {
        const PATH: &'static str = "/chat";
        type Data = ();
        type Parameters = ();

        fn parameters(_: &PathValues) -> Result<(), Rejection> {
            Ok(())
        }

        async fn connect(&self, _: &Handshake, (): &()) -> Result<(), BoxError> {
            Ok(())
        }
    }

    #[test]
    fn an_idle_connections_future_is_at_most_104_bytes() {
        let size = size_of::<Connection<Chat>>();
        println!("a connection's task is {size} bytes");
        assert!(size <= 104, "{size} bytes");
    }
}
