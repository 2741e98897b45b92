//! The table against a naive model: random lives of connections, cut into random rounds.
//!
//! The model takes each record at once and notes, for each connection there is, what it has to get
//! for it: at once if it is active, once `open` has returned `Ok` if that still runs. However the
//! records are cut into rounds, each connection must get that, in that order.

mod connection;
mod steps;

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use tokio::sync::oneshot;

use crate::close::CloseCode;
use crate::limits::Limits;
use crate::message::Message;
use crate::protocol::extension::Agreement;
use crate::protocol::{Form, frame};
use crate::transport::test_peer::Wire;

use super::*;
use connection::{Connection, State};
use steps::{PLACES, Step, steps, topic};

struct Model {
    wire: Wire,
    counters: Arc<Counters>,
    table: Table,
    records: Vec<Record>,
    /// The connections that are at their places.
    places: [Option<Connection>; PLACES],
    generations: [u32; PLACES],
    /// Those that left in the present round.
    left: Vec<Connection>,
    published: usize,
    /// Questions for a topic's subscribers in the present round, and the right answers.
    asked: Vec<(Answer, Vec<ConnectionId>)>,
    /// What a frame says.
    names: HashMap<Vec<u8>, String>,
}

type Answer = oneshot::Receiver<Arc<[ConnectionId]>>;

impl Model {
    fn new() -> Self {
        let counters = Arc::<Counters>::default();
        let close = frame::encode_close(&frame());
        Self {
            wire: Wire::new(),
            table: Table::new(Arc::clone(&counters)),
            counters,
            records: Vec::new(),
            places: [const { None }; PLACES],
            generations: [0; PLACES],
            left: Vec::new(),
            published: 0,
            asked: Vec::new(),
            names: HashMap::from([(close.to_vec(), "close".to_owned())]),
        }
    }

    fn take(&mut self, place: usize, step: Step) {
        match step {
            Step::Enter {
                route,
                deflates,
                authenticates,
            } => self.enter(place, route, deflates, authenticates),
            Step::PublishExcept { to, is_stale } => self.publish_except(place, to, is_stale),
            Step::Subscribers(one) => self.ask_subscribers(one),
            Step::Publish {
                to,
                from_it,
                is_long,
            } => self.publish(place, to, from_it, is_long),
            Step::DisconnectTopic(one) => self.disconnect_topic(one),
            Step::Activate(early) => self.activate(place, early, false),
            Step::DeactivateAndActivate(early) => self.activate(place, early, true),
            Step::Stale => self.stale(place),
            Step::Leave => self.leave(place),
            Step::Round => self.round(),
            _ => self.live(place, step),
        }
    }

    fn enter(&mut self, place: usize, route: RouteId, deflates: bool, authenticates: bool) {
        if self.places[place].is_some() {
            return;
        }
        self.generations[place] += 1;
        let id = ConnectionId::new(place as Slot, self.generations[place]);
        let agreement = Agreement::choose(deflates.then_some("permessage-deflate"));
        let (transport, far) = self.wire.wide(id, Limits::default(), agreement);
        let transport = Arc::new(transport);
        self.records.push(Record::Enter {
            transport: Arc::clone(&transport),
            route,
            authenticates,
        });
        let mut connection = Connection::new(transport, far, route);
        if !authenticates {
            connection.state = State::Opening;
        }
        self.places[place] = Some(connection);
    }

    /// A step of a connection that is there.
    fn live(&mut self, place: usize, step: Step) {
        let Some(connection) = &mut self.places[place] else {
            return;
        };
        let (id, slot) = (connection.transport.id(), place as Slot);
        match step {
            Step::Open if connection.state == State::Authenticating => {
                connection.state = State::Opening;
                self.records.push(Record::Open(slot));
            }
            Step::Refuse if connection.state == State::Opening && !connection.opened => {
                connection.owed.clear();
                connection.state = State::Over;
                // It is not activated any more.
                connection.opened = true;
                self.records.push(Record::Refuse(slot));
            }
            Step::Deactivate if self.counters.leave(&connection.transport) => {
                connection.state = State::Over;
                self.records.push(Record::Deactivate(id));
            }
            Step::Subscribe(one) => {
                connection.topics.insert(one);
                self.records.push(Record::Subscribe(slot, topic(one)));
            }
            Step::Unsubscribe(one) => {
                connection.topics.remove(&one);
                self.records.push(Record::Unsubscribe(slot, topic(one)));
            }
            Step::Finish => {
                // Over: the hub ended it while `open` ran, and `open` has returned `Ok`. Opening:
                // its handler or a `Peer` closed it.
                match connection.state {
                    State::Over => connection.pay(),
                    State::Opening => connection.state = State::Over,
                    State::Authenticating | State::Active => {}
                }
                connection.owed.clear();
                connection.expect("close".into());
                connection.finished = true;
                self.records.push(Record::SendClose(slot, frame()));
            }
            Step::Disconnect => {
                connection.disconnect();
                self.records.push(Record::Disconnect(id, disconnect()));
            }
            _ => {}
        }
    }

    /// `open` has returned `Ok`. Somebody may close the connection while it is activated, and be the
    /// first to append.
    fn activate(&mut self, place: usize, early: Option<usize>, is_closed_first: bool) {
        let Some(connection) = &mut self.places[place] else {
            return;
        };
        let is_ended = connection.state == State::Over;
        if connection.opened || connection.finished || connection.state == State::Authenticating {
            return;
        }
        connection.opened = true;
        self.counters.join(&connection.transport);
        let id = connection.transport.id();
        if is_closed_first && !is_ended {
            assert!(self.counters.leave(&connection.transport));
            self.records.push(Record::Deactivate(id));
        }
        connection.pay();
        connection.state = match is_ended || is_closed_first {
            true => State::Over,
            false => State::Active,
        };
        connection.was_active = connection.is_active();
        // A connection that never becomes active causes nothing.
        let is_heard = connection.is_active();
        let slot = place as Slot;
        let early = early.map(|one| {
            let to = Channel::Topic(topic(one));
            (topic(one), self.frame(&to, Some(slot), false, is_heard))
        });
        self.records
            .push(Record::Activate(slot, early.into_iter().collect()));
        if is_ended {
            // The hub ended it before; the task finds that out right after it has activated it.
            let connection = self.places[place].as_ref().expect("it was there above");
            assert!(self.counters.leave(&connection.transport));
            self.records.push(Record::Deactivate(id));
        }
    }

    fn publish_except(&mut self, place: usize, to: usize, is_stale: bool) {
        let generation = self.generations[place] + u32::from(is_stale);
        let except = ConnectionId::new(place as Slot, generation);
        let is_here = self.places[place].is_some() && !is_stale;
        let excluded = is_here.then_some(place as Slot);
        let frame = self.frame(&Channel::Topic(topic(to)), excluded, false, true);
        self.records.push(Record::PublishExcept {
            topic: topic(to),
            frame,
            except,
        });
    }

    fn ask_subscribers(&mut self, one: usize) {
        let (reply, answer) = oneshot::channel();
        let connections = self.places.iter().flatten();
        let active = connections.filter(|one| one.is_active());
        let inside = active.filter(|connection| connection.topics.contains(&one));
        let expected = inside.map(|connection| connection.transport.id()).collect();
        self.asked.push((answer, expected));
        self.records.push(Record::Subscribers(topic(one), reply));
    }

    fn publish(&mut self, place: usize, to: Channel, from_it: bool, is_long: bool) {
        let from = place as Slot;
        let from = (from_it && self.places[place].is_some()).then_some(from);
        let sender = from.and_then(|_| self.places[place].as_ref());
        let is_heard = sender.is_none_or(|sender| sender.was_active || sender.state != State::Over);
        let frame = self.frame(&to, from, is_long, is_heard);
        self.records.push(Record::Publish {
            channel: to,
            from,
            frame,
        });
    }

    /// Makes a message, and notes who has to get it.
    fn frame(
        &mut self,
        to: &Channel,
        from: Option<Slot>,
        is_long: bool,
        is_heard: bool,
    ) -> Encoded {
        self.published += 1;
        let text = format!("message {} to {to:?}", self.published);
        let width = if is_long { 300 } else { 0 };
        let frame = Encoded::new(&Message::from(format!("{text:width$}")), Some(200));
        for connection in self.places.iter_mut().flatten() {
            let is_its_own = from == Some(connection.transport.id().slot());
            if is_heard && connection.is_in(to) && !is_its_own {
                let form = connection.transport.form();
                let name = name(&text, is_long, form);
                self.names.insert(frame.frame(form).to_vec(), name.clone());
                connection.receive(name);
            }
        }
        frame
    }

    fn disconnect_topic(&mut self, one: usize) {
        for connection in self.places.iter_mut().flatten() {
            if connection.topics.contains(&one) {
                connection.disconnect();
            }
        }
        self.records
            .push(Record::DisconnectTopic(topic(one), frame()));
    }

    fn leave(&mut self, place: usize) {
        let Some(connection) = self.places[place].take() else {
            return;
        };
        if self.counters.leave(&connection.transport) {
            let id = connection.transport.id();
            self.records.push(Record::Deactivate(id));
        }
        self.records.push(Record::Leave(place as Slot));
        self.left.push(connection);
    }

    fn stale(&mut self, place: usize) {
        let slot = place as Slot;
        let last = self.generations[place];
        let is_there = self.places[place].is_some();
        let Some(generation) = last.checked_sub(u32::from(is_there)) else {
            return;
        };
        let id = ConnectionId::new(slot, generation);
        self.records.push(Record::Deactivate(id));
        self.records.push(Record::Disconnect(id, disconnect()));
    }

    /// Has the table take the records, and looks at what everyone got.
    fn round(&mut self) {
        let mut gone = Vec::new();
        self.table.begin_round();
        for record in self.records.drain(..) {
            if let Effect::Left(id) = self.table.apply(record) {
                gone.push(id);
            }
        }
        self.table.deliver();
        let left: Vec<ConnectionId> = self.left.iter().map(|one| one.transport.id()).collect();
        assert_eq!(gone, left);
        for mut connection in self.left.drain(..) {
            connection.check(&self.names);
        }
        for connection in self.places.iter_mut().flatten() {
            connection.check(&self.names);
        }
        assert_eq!(
            self.table.is_empty(),
            self.places.iter().all(Option::is_none)
        );
        for (mut answer, expected) in self.asked.drain(..) {
            let ids = answer.try_recv().expect("an answer in its round");
            let ids: HashSet<_> = ids.iter().copied().collect();
            assert_eq!(ids, expected.into_iter().collect());
        }
        self.table.check();
    }
}

fn disconnect() -> Close {
    Close::new(CloseCause::Disconnect, frame())
}

fn frame() -> CloseFrame {
    CloseFrame::bare(CloseCode::NORMAL)
}

fn name(text: &str, is_long: bool, form: Form) -> String {
    let form = if is_long { form } else { Form::Plain };
    format!("{text} {form:?}")
}

impl Table {
    /// Checks that each list agrees with its counterpart.
    fn check(&self) {
        for (slot, member) in self.members.iter().enumerate() {
            for one in member.iter().flat_map(|member| &member.memberships) {
                let channel = &self.channels[one.channel as usize];
                assert_eq!(channel.members[one.place as usize] as usize, slot);
            }
        }
        let members = self.members.iter().flatten();
        let memberships: usize = members.map(|one| one.memberships.len()).sum();
        let named = self.names.iter();
        let named: HashMap<_, _> = named.map(|(name, &index)| (index, name)).collect();
        let listed = named.iter().map(|(&index, &name)| {
            let channel = &self.channels[index as usize];
            assert_eq!(channel.name, *name);
            assert!(!channel.members.is_empty() && channel.messages.is_empty());
            channel.members.len()
        });
        assert_eq!(listed.sum::<usize>(), memberships);
        let free: HashSet<_> = self.free_channels.iter().copied().collect();
        assert_eq!(free.len(), self.free_channels.len());
        assert_eq!(free.len() + named.len(), self.channels.len());
        assert!(free.iter().all(|index| !named.contains_key(index)));
        let owing = self.members.iter().flatten();
        let owing = owing.filter(|member| member.owed.is_some()).count();
        assert_eq!(owing, self.owing);
        assert!(self.listed.is_empty() && self.overflowed.is_empty());
        assert!(self.channels.iter().all(|channel| channel.listed.is_none()));
    }
}

#[test]
fn a_topic_whose_last_member_is_closed_between_two_rounds_is_forgotten() {
    let mut model = Model::new();
    for _ in 0..50 {
        model.take(
            0,
            Step::Enter {
                route: 0,
                deflates: false,
                authenticates: false,
            },
        );
        model.take(0, Step::Subscribe(0));
        model.take(0, Step::Activate(None));
        model.publish(0, Channel::Topic(topic(0)), false, false);
        model.round();
        // As the sweep does, for a deadline.
        model.table.request_close(0, disconnect());
        model.places[0].as_mut().unwrap().disconnect();
        model.leave(0);
        model.round();
    }
    assert!(
        model.table.channels.len() <= 3,
        "{}",
        model.table.channels.len()
    );
}

proptest! {
    #[test]
    fn each_connection_gets_exactly_what_was_published_from_its_open_to_its_leave_in_order(
        steps in steps(),
        shuts_down in any::<bool>(),
    ) {
        let mut model = Model::new();
        for (place, step) in steps {
            model.take(place, step);
        }
        if shuts_down {
            model.records.push(Record::Shutdown);
            for connection in model.places.iter_mut().flatten() {
                connection.state = State::Over;
            }
            model.publish(0, Channel::Server, false, false);
        }
        model.round();
        for place in 0..PLACES {
            model.leave(place);
        }
        model.round();
        prop_assert_eq!(model.counters.active(), 0);
        prop_assert!(!model.counters.deflates());
    }
}
