//! What the model's connections go through.

use bytestring::ByteString;
use proptest::prelude::*;

use crate::hub::RouteId;
use crate::hub::log::Channel;

pub(super) const PLACES: usize = 5;
const TOPICS: usize = 3;
const ROUTES: RouteId = 2;

/// What happens, mostly to the connection at a place. What cannot happen to it is left out.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Enter {
        route: RouteId,
        deflates: bool,
    },
    Activate,
    Subscribe(usize),
    Unsubscribe(usize),
    Publish {
        to: Channel,
        from_it: bool,
        is_long: bool,
    },
    /// By the hub's own ways: only who is active is deactivated.
    Deactivate,
    /// Somebody closes it while it is activated, and is the first to append.
    DeactivateAndActivate,
    Finish,
    Leave,
    Disconnect,
    /// What was meant for the connection that was at this place before.
    Stale,
    Turn,
}

pub(super) fn topic(topic: usize) -> ByteString {
    format!("topic {topic}").into()
}

fn channel() -> impl Strategy<Value = Channel> {
    prop_oneof![
        2 => Just(Channel::Server),
        1 => (0..ROUTES).prop_map(Channel::Route),
        3 => (0..TOPICS).prop_map(|one| Channel::Topic(topic(one))),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let enter = (0..ROUTES, any::<bool>());
    let publish = (channel(), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => enter.prop_map(|(route, deflates)| Step::Enter { route, deflates }),
        4 => Just(Step::Activate),
        5 => (0..TOPICS).prop_map(Step::Subscribe),
        3 => (0..TOPICS).prop_map(Step::Unsubscribe),
        12 => publish.prop_map(|(to, from_it, is_long)| Step::Publish { to, from_it, is_long }),
        1 => Just(Step::Deactivate),
        1 => Just(Step::DeactivateAndActivate),
        1 => Just(Step::Finish),
        2 => Just(Step::Leave),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Stale),
        4 => Just(Step::Turn),
    ]
}
