//! What the model's connections go through.

use bytestring::ByteString;
use proptest::collection::vec;
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
        authenticates: bool,
    },
    /// `auth` has let it in.
    Open,
    /// `open` has failed.
    Refuse,
    /// `open` has returned `Ok`. With a topic that it has published to before.
    Activate(Option<usize>),
    Subscribe(usize),
    Unsubscribe(usize),
    Publish {
        to: Channel,
        from_it: bool,
        is_long: bool,
    },
    /// To a topic; the exception is the connection at the place, or the one before it.
    PublishExcept {
        to: usize,
        is_stale: bool,
    },
    /// Asks who is in a topic.
    Subscribers(usize),
    /// By the hub's own ways: only who is active is deactivated.
    Deactivate,
    /// Somebody closes it while it is activated, and is the first to append.
    DeactivateAndActivate(Option<usize>),
    Finish,
    Leave,
    Disconnect,
    DisconnectTopic(usize),
    /// What was meant for the connection that was at this place before.
    Stale,
    Round,
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

fn step() -> impl Strategy<Value = Step> {
    let enter = (0..ROUTES, any::<bool>(), any::<bool>());
    let except = (0..TOPICS, any::<bool>());
    let publish = (channel(), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => enter.prop_map(|(route, deflates, authenticates)| Step::Enter {
            route,
            deflates,
            authenticates,
        }),
        2 => Just(Step::Open),
        1 => Just(Step::Refuse),
        5 => activation(),
        5 => (0..TOPICS).prop_map(Step::Subscribe),
        3 => (0..TOPICS).prop_map(Step::Unsubscribe),
        12 => publish.prop_map(|(to, from_it, is_long)| Step::Publish { to, from_it, is_long }),
        2 => except.prop_map(|(to, is_stale)| Step::PublishExcept { to, is_stale }),
        2 => (0..TOPICS).prop_map(Step::Subscribers),
        1 => Just(Step::Deactivate),
        1 => Just(Step::Finish),
        2 => Just(Step::Leave),
        1 => Just(Step::Disconnect),
        1 => (0..TOPICS).prop_map(Step::DisconnectTopic),
        1 => Just(Step::Stale),
        4 => Just(Step::Round),
    ]
}

fn activation() -> impl Strategy<Value = Step> {
    let early = || prop::option::of(0..TOPICS);
    prop_oneof![
        4 => early().prop_map(Step::Activate),
        1 => early().prop_map(Step::DeactivateAndActivate),
    ]
}

/// All at their places, in some topics, some still opening.
fn everyone() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let routes = (0..ROUTES, any::<bool>(), any::<bool>());
    let one = (routes, vec(0..TOPICS, 0..3), any::<bool>(), activation());
    vec(one, PLACES).prop_map(|all| {
        let mut steps = Vec::new();
        for (place, (route, topics, is_activated, activation)) in all.into_iter().enumerate() {
            let (route, deflates, authenticates) = route;
            let enter = Step::Enter {
                route,
                deflates,
                authenticates,
            };
            steps.push((place, enter));
            steps.extend(topics.into_iter().map(|one| (place, Step::Subscribe(one))));
            steps.push((place, Step::Open));
            if is_activated {
                steps.push((place, activation));
            }
        }
        steps
    })
}

/// A round of messages to several channels, in which few have a leave_channel of their own: so what was
/// composed for one is used for others.
fn burst() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        8 => channel().prop_map(|to| Step::Publish { to, from_it: false, is_long: true }),
        1 => (0..TOPICS).prop_map(Step::Subscribe),
        1 => channel().prop_map(|to| Step::Publish { to, from_it: true, is_long: false }),
    ];
    vec((0..PLACES, step), 3..9).prop_map(|mut steps| {
        steps.insert(0, (0, Step::Round));
        steps.push((0, Step::Round));
        steps
    })
}

pub(super) fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let beginning = prop_oneof![everyone(), Just(Vec::new())];
    let more = prop_oneof![vec((0..PLACES, step()), 1..20), burst()];
    (beginning, vec(more, 0..12)).prop_map(|(mut steps, more)| {
        steps.extend(more.into_iter().flatten());
        steps
    })
}
