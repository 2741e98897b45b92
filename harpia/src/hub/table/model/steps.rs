//! The steps that the model takes, and how random sequences of them are made.

use bytestring::ByteString;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::hub::record::{Channel, RouteId};
use crate::id::Slot;

/// How many slots the model uses.
pub(super) const SLOTS: Slot = 5;
const TOPICS: usize = 3;
const ROUTES: RouteId = 2;

/// One step, mostly of the connection in a slot. The model ignores a step that is not possible.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Enter {
        route: RouteId,
        accepts_deflated: bool,
        authenticates: bool,
    },
    /// `auth` returns `Ok`.
    Open,
    /// `open` fails.
    NeverOpened,
    /// `open` returns `Ok`. The topic is one that the connection published to before.
    Activate(Option<usize>),
    Subscribe(usize),
    Unsubscribe(usize),
    Publish {
        to: Channel,
        /// The connection in the slot is the sender.
        has_sender: bool,
        is_long: bool,
    },
    /// Publishes to a topic, except to the connection in the slot or, if `is_stale`, to one that
    /// does not exist yet.
    PublishExcept {
        to: usize,
        is_stale: bool,
    },
    /// Requests the active subscribers of a topic.
    Subscribers(usize),
    /// Deactivates the connection if it is active, as the hub does.
    Deactivate,
    /// Another task closes the connection during the activation, and appends its record before the
    /// activation.
    DeactivateAndActivate(Option<usize>),
    /// Appends the close frame.
    SendClose,
    Leave,
    Disconnect,
    DisconnectTopic(usize),
    /// Records meant for the connection that had the slot before.
    Stale,
    /// Runs a flush round.
    Flush,
}

pub(super) fn topic(index: usize) -> ByteString {
    format!("topic {index}").into()
}

fn channel() -> impl Strategy<Value = Channel> {
    prop_oneof![
        2 => Just(Channel::Server),
        1 => (0..ROUTES).prop_map(Channel::Route),
        3 => (0..TOPICS).prop_map(|index| Channel::Topic(topic(index))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let enter = (0..ROUTES, any::<bool>(), any::<bool>());
    let except = (0..TOPICS, any::<bool>());
    let publish = (channel(), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => enter.prop_map(|(route, accepts_deflated, authenticates)| Step::Enter {
            route,
            accepts_deflated,
            authenticates,
        }),
        2 => Just(Step::Open),
        1 => Just(Step::NeverOpened),
        5 => activation(),
        5 => (0..TOPICS).prop_map(Step::Subscribe),
        3 => (0..TOPICS).prop_map(Step::Unsubscribe),
        12 => publish.prop_map(|(to, has_sender, is_long)| Step::Publish {
            to,
            has_sender,
            is_long,
        }),
        2 => except.prop_map(|(to, is_stale)| Step::PublishExcept { to, is_stale }),
        2 => (0..TOPICS).prop_map(Step::Subscribers),
        1 => Just(Step::Deactivate),
        1 => Just(Step::SendClose),
        2 => Just(Step::Leave),
        1 => Just(Step::Disconnect),
        1 => (0..TOPICS).prop_map(Step::DisconnectTopic),
        1 => Just(Step::Stale),
        4 => Just(Step::Flush),
    ]
}

fn activation() -> impl Strategy<Value = Step> {
    let pending = || prop::option::of(0..TOPICS);
    prop_oneof![
        4 => pending().prop_map(Step::Activate),
        1 => pending().prop_map(Step::DeactivateAndActivate),
    ]
}

/// Connections in all slots, each subscribed to up to two topics, some still opening.
fn full_table() -> impl Strategy<Value = Vec<(Slot, Step)>> {
    let routes = (0..ROUTES, any::<bool>(), any::<bool>());
    let connection = (routes, vec(0..TOPICS, 0..3), any::<bool>(), activation());
    vec(connection, SLOTS as usize).prop_map(|all| {
        let mut steps = Vec::new();
        for (slot, (route, topics, is_activated, activation)) in (0..SLOTS).zip(all) {
            let (route, accepts_deflated, authenticates) = route;
            let enter = Step::Enter {
                route,
                accepts_deflated,
                authenticates,
            };
            steps.push((slot, enter));
            steps.extend(
                topics
                    .into_iter()
                    .map(|topic| (slot, Step::Subscribe(topic))),
            );
            steps.push((slot, Step::Open));
            if is_activated {
                steps.push((slot, activation));
            }
        }
        steps
    })
}

/// A round of messages to several channels, in which few members join a channel or publish.
///
/// In such a round, a batch that was composed for one member is used again for others.
fn burst() -> impl Strategy<Value = Vec<(Slot, Step)>> {
    let step = prop_oneof![
        8 => channel().prop_map(|to| Step::Publish { to, has_sender: false, is_long: true }),
        1 => (0..TOPICS).prop_map(Step::Subscribe),
        1 => channel().prop_map(|to| Step::Publish { to, has_sender: true, is_long: false }),
    ];
    vec((0..SLOTS, step), 3..9).prop_map(|mut steps| {
        steps.insert(0, (0, Step::Flush));
        steps.push((0, Step::Flush));
        steps
    })
}

pub(super) fn steps() -> impl Strategy<Value = Vec<(Slot, Step)>> {
    let beginning = prop_oneof![full_table(), Just(Vec::new())];
    let more = prop_oneof![vec((0..SLOTS, step()), 1..20), burst()];
    (beginning, vec(more, 0..12)).prop_map(|(mut steps, more)| {
        steps.extend(more.into_iter().flatten());
        steps
    })
}
