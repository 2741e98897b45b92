//! The phases of a connection, and the results of one step.

use std::sync::Arc;

use crate::budget::Budget;
use crate::hub::Hub;
use crate::route::Route;

/// The state of a connection. The parent module has the diagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Start,
    /// The route has `auth`, and the client has not sent its first message yet.
    AwaitingFirstMessage,
    /// `auth` runs.
    Authenticating,
    /// `auth` has returned `Ok`.
    Authenticated,
    /// `open` runs.
    Opening,
    /// `open` has returned `Ok`. Messages are read and handled until a close is requested.
    Opened,
    /// `error` runs. The connection closes after `error` has returned.
    Failing(Failure),
    /// The connection writes the outbox and the close frame. It discards input from here on.
    Flushing,
    /// `close` runs.
    Closing,
    /// The kernel has the close frame. The connection waits for the peer's close frame.
    AwaitingPeerClose,
    /// The server has ended its side. The connection waits until the peer ends its own.
    AwaitingPeerEnd,
}

impl Phase {
    /// Returns the budget for the peer's unfinished input.
    ///
    /// Unauthenticated clients have a budget of their own, so they cannot use up the memory of
    /// authenticated clients.
    pub(super) fn input_budget<R: Route>(self, hub: &Hub) -> &Arc<Budget> {
        match self {
            Self::Start | Self::AwaitingFirstMessage | Self::Authenticating if R::AUTHENTICATES => {
                hub.unauthenticated_input_budget()
            }
            _ => hub.input_budget(),
        }
    }
}

/// Why `error` was called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// `open` failed. Its error decides the close frame, even if the hub requested a close before.
    Open,
    /// Another handler failed, or the client was a slow consumer.
    Handler,
    /// The peer broke a rule or a limit. The outbox is dropped, and the close frame is sent at
    /// once.
    Peer,
}

/// The result of one step.
pub(super) enum Step {
    /// Make another step in the same poll.
    Again,
    /// Return `Pending`. The event that the connection waits for will wake the task.
    Wait,
    /// The connection is over.
    Done,
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

    struct Guarded;

    impl Route for Guarded {
        const PATH: &'static str = "/guarded";
        const AUTHENTICATES: bool = true;
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
    fn unauthenticated_clients_have_an_input_budget_of_their_own() {
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
        for phase in [Phase::Authenticated, Phase::Opening, Phase::Opened] {
            let budget = phase.input_budget::<Guarded>(&hub);
            assert!(Arc::ptr_eq(budget, hub.input_budget()), "{phase:?}");
        }
    }

    #[test]
    fn a_route_without_auth_uses_the_common_input_budget_from_the_start() {
        let hub = Hub::new();
        for phase in [Phase::Start, Phase::Opening, Phase::Opened] {
            let budget = phase.input_budget::<Chat>(&hub);
            assert!(Arc::ptr_eq(budget, hub.input_budget()), "{phase:?}");
        }
    }
}
