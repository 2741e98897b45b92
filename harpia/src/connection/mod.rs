//! The life of one connection: one task, one poll written by hand.
//!
//! Owned here: the order of things. `open`, then messages, then the end, which is always: leave
//! the hub, flush within a deadline, `close` handler once, linger until the peer has seen it.
//! The bytes are [`inbound`]'s, the calls of user code [`user_code`]'s.
//!
//! An idle connection owns no buffer: the read buffer is its thread's, and whatever is rare or
//! the user's is boxed in its [`Life`].

mod auth;
mod ending;
mod inbound;
mod life;
mod log;
mod messages;
mod rate;
mod user_code;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;

use crate::budget::Budget;
use crate::close::{CloseCause, Ending};
use crate::hub::Hub;
use crate::protocol::Event;
use crate::route::Route;
use crate::socket::Socket;
use crate::write_end::{News, WriteEnd};

use inbound::{Inbound, Input, Window};
use life::Life;
pub(crate) use life::Shared;
pub(crate) use user_code::caught;
use user_code::{Call, Finished, User};

/// The task of one connection.
pub(crate) struct Connection<R: Route> {
    end: Arc<WriteEnd>,
    user: User<R>,
    inbound: Inbound,
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
    Unknown,
    Authenticating,
    /// `auth` has returned `Ok`.
    LetIn,
    Opening,
    Active,
    /// `error` was called, or is; then the connection closes.
    Failing(Failure),
    /// The close frame is on its way out.
    Flushing,
    /// `close` was called.
    Closing,
    /// The peer is read until it has closed too, or a reset could destroy our close frame.
    Lingering,
}

impl Phase {
    /// What the peer's unfinished input counts against: who is not in takes none of those who are.
    fn input_budget<R: Route>(self, hub: &Hub) -> &Arc<Budget> {
        match self {
            Self::Start | Self::Unknown | Self::Authenticating if R::AUTHENTICATES => {
                hub.early_input_budget()
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
        shared: Arc<Shared<R>>,
        socket: Socket<R::Data>,
        parameters: R::Parameters,
        end: Arc<WriteEnd>,
        first_bytes: &[u8],
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let hub = shared.hub.clone();
        hub.enter(Arc::clone(&end), shared.id, R::AUTHENTICATES);
        let life = Life::new(shared, socket, parameters, permit);
        Self {
            end,
            user: User::Idle(Box::new(life)),
            inbound: Inbound::new(first_bytes, Phase::Start.input_budget::<R>(&hub)),
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

    fn step(&mut self, context: &mut Context<'_>, window: &mut Window) -> Step {
        match self.phase {
            Phase::Start => {
                if let Some(ending) = self.end.ending() {
                    // The server was shut down while it upgraded: nothing is begun any more.
                    return self.leave_hub(&ending);
                }
                if R::AUTHENTICATES {
                    self.await_first()
                } else {
                    self.open()
                }
            }
            Phase::Unknown => self.step_unknown(context, window),
            Phase::LetIn => self.step_let_in(context, window),
            Phase::Active => self.step_active(context, window),
            Phase::Flushing => self.step_flushing(),
            Phase::Lingering => self.step_lingering(context, window),
            // These wait for user code, which is asked for before a step.
            Phase::Authenticating | Phase::Opening | Phase::Failing(_) | Phase::Closing => {
                Step::Wait
            }
        }
    }

    fn step_active(&mut self, context: &mut Context<'_>, window: &mut Window) -> Step {
        if self.has_unsent && self.poll_unsent(context).is_pending() {
            return Step::Wait;
        }
        self.has_unsent = false;
        if !self.end.is_quiet() {
            match self.end.news() {
                News::None => {}
                News::Ending(ending) => return self.begin_ending(&ending),
                News::Skipping => return self.log_skipping(),
                News::Drained => return self.call(Call::Drain),
            }
        }
        if !self.hub.has_room() && self.poll_room(context).is_pending() {
            return Step::Wait;
        }
        let terms = inbound::terms(&self.end, self.hub.input_budget());
        let input = self.inbound.next(context, &self.end, window, &terms);
        self.take_input(input, window)
    }

    fn take_input(&mut self, input: Input, window: &mut Window) -> Step {
        match input {
            Input::Event(event) => self.handle(event, window),
            Input::Heard => {
                self.end.silence.heard(self.now());
                Step::Again
            }
            Input::Violation(violation) => self.report(violation.into(), Failure::Violation),
            Input::Ended => self.begin_ending(&Ending::of(CloseCause::Lost)),
            Input::Wait => Step::Wait,
        }
    }

    fn handle(&mut self, event: Event, window: &mut Window) -> Step {
        match event {
            Event::Message(message) => self.handle_message(message, window),
            Event::Ping(payload) => {
                self.end.pong(&payload);
                Step::Again
            }
            Event::Pong => Step::Again,
            Event::Close(closing) => {
                let ending = self.decide(Ending::new(CloseCause::Client, closing));
                self.leave_hub(&ending)
            }
        }
    }

    /// Calls a handler. One that does not wait is done when this returns.
    fn call(&mut self, call: Call) -> Step {
        match user_code::begin(&mut self.user, call) {
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
                self.end.silence.stand_still();
                Some(Step::Wait)
            }
            Poll::Ready((life, finished)) => {
                self.user = User::Idle(life);
                self.end.silence.heard(self.now());
                Some(self.finished(finished))
            }
        }
    }

    fn finished(&mut self, finished: Finished) -> Step {
        match (finished, self.phase) {
            (Finished::Failed(error), Phase::Closing) => self.call(Call::Error(error)),
            (Finished::Failed(error), Phase::Opening) => self.report(error, Failure::Open),
            (Finished::Failed(error), _) => self.report(error, Failure::Handler),
            (Finished::Reported(ending), Phase::Failing(failure)) => self.fail(ending, failure),
            (Finished::Cancelled, Phase::Opening) => self.cancel_open(),
            (_, Phase::Closing) => {
                self.phase = Phase::Flushing;
                Step::Again
            }
            (_, Phase::Authenticating) => {
                self.phase = Phase::LetIn;
                Step::Again
            }
            (_, Phase::Opening) => self.activate(),
            (Finished::Broadcast(message), _) => self.broadcast(&message),
            (Finished::Done | Finished::Cancelled | Finished::Reported(_), _) => Step::Again,
        }
    }

    fn open(&mut self) -> Step {
        if R::AUTHENTICATES {
            self.hub.open(self.end.id().slot());
        }
        self.phase = Phase::Opening;
        self.owes_close = true;
        self.call(Call::Open)
    }

    /// `open` has returned `Ok`. A connection that was closed meanwhile never becomes active.
    fn activate(&mut self) -> Step {
        self.opened = true;
        if !self.end.is_ending()
            && let Some(life) = self.user.idle()
        {
            self.hub.activate(&self.end, life.socket.take_early());
        }
        self.phase = Phase::Active;
        Step::Again
    }

    fn run(&mut self, context: &mut Context<'_>, window: &mut Window) -> Poll<()> {
        for _ in 0..MESSAGES_PER_POLL {
            if !self.end.is_quiet() {
                // What waits for the peer flows whatever else is under way.
                let _ = self.end.poll_drain(context);
            }
            let step = match self.poll_user(context) {
                Some(step) => step,
                None => self.step(context, window),
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
        this.end.attach(context.waker());
        let mut window = Window::lend();
        let polled = this.run(context, &mut window);
        let budget = this.phase.input_budget::<R>(&this.hub);
        this.inbound.give_back(window, budget);
        this.end.uncork();
        polled
    }
}

/// The futures inside are boxed, and nothing here is pinned by its place.
impl<R: Route> Unpin for Connection<R> {}

/// Also runs when the runtime drops the task before its end.
impl<R: Route> Drop for Connection<R> {
    fn drop(&mut self) {
        self.hub.deactivate(&self.end);
        let user = std::mem::replace(&mut self.user, User::Lent);
        // The user's data may panic as it is dropped; the worker thread must not.
        if catch_unwind(AssertUnwindSafe(|| drop(user))).is_err() {
            tracing::error!(route = R::PATH, "connection data panicked in drop");
        }
        // Last, since what is dropped may still name its place, which is another's from here on.
        self.hub.leave(self.end.id().slot());
        self.end.detach();
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
        for phase in [Phase::Start, Phase::Unknown, Phase::Authenticating] {
            let budget = phase.input_budget::<Guarded>(&hub);
            assert!(Arc::ptr_eq(budget, hub.early_input_budget()), "{phase:?}");
        }
        for phase in [Phase::LetIn, Phase::Opening, Phase::Active] {
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
