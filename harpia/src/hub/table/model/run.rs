//! How each step changes the model, and the record that it appends.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::hub::record::{Channel, Record, RouteId};
use crate::id::{ConnectionId, Slot};
use crate::limits::Limits;
use crate::message::Message;
use crate::protocol::Encoded;
use crate::protocol::extension::Agreement;

use super::connection::{Connection, State};
use super::steps::{Step, topic};
use super::{Model, close_frame, disconnect, name};

impl Model {
    pub(super) fn run(&mut self, slot: Slot, step: Step) {
        match step {
            Step::Enter {
                route,
                accepts_deflated,
                authenticates,
            } => self.enter(slot, route, accepts_deflated, authenticates),
            Step::PublishExcept { to, is_stale } => self.publish_except(slot, to, is_stale),
            Step::Subscribers(index) => self.request_subscribers(index),
            Step::Publish {
                to,
                has_sender,
                is_long,
            } => self.publish(slot, to, has_sender, is_long),
            Step::DisconnectTopic(index) => self.disconnect_topic(index),
            Step::Activate(pending) => self.activate(slot, pending, false),
            Step::DeactivateAndActivate(pending) => self.activate(slot, pending, true),
            Step::Stale => self.append_stale(slot),
            Step::Leave => self.leave(slot),
            Step::Flush => self.flush(),
            _ => self.run_for_connection(slot, step),
        }
    }

    fn enter(&mut self, slot: Slot, route: RouteId, accepts_deflated: bool, authenticates: bool) {
        if self.connection(slot).is_some() {
            return;
        }
        self.generations[slot as usize] += 1;
        let id = ConnectionId::new(slot, self.generation(slot));
        let agreement = Agreement::choose(accepts_deflated.then_some("permessage-deflate"));
        let (transport, test_peer) = self.wire.wide(id, Limits::default(), agreement);
        let transport = Arc::new(transport);
        self.records.push(Record::Enter {
            transport: Arc::clone(&transport),
            route,
            authenticates,
        });
        let mut connection = Connection::new(transport, test_peer, route);
        if !authenticates {
            connection.state = State::Opening;
        }
        self.connections[slot as usize] = Some(connection);
    }

    /// Runs a step that needs a connection in the slot.
    fn run_for_connection(&mut self, slot: Slot, step: Step) {
        let Some(connection) = &mut self.connections[slot as usize] else {
            return;
        };
        let id = connection.transport.id();
        match step {
            Step::Open if connection.state == State::Authenticating => {
                connection.state = State::Opening;
                self.records.push(Record::Authenticated(slot));
            }
            Step::NeverOpened if connection.state == State::Opening && !connection.opened => {
                connection.owed.clear();
                connection.state = State::Over;
                // Prevents a later step from activating the connection.
                connection.opened = true;
                self.records.push(Record::NeverOpened(slot));
            }
            Step::Deactivate if self.counters.deactivate(&connection.transport) => {
                connection.state = State::Over;
                self.records.push(Record::Deactivate(id));
            }
            Step::Subscribe(index) => {
                connection.topics.insert(index);
                self.records.push(Record::Subscribe(slot, topic(index)));
            }
            Step::Unsubscribe(index) => {
                connection.topics.remove(&index);
                self.records.push(Record::Unsubscribe(slot, topic(index)));
            }
            Step::SendClose => {
                match connection.state {
                    // The hub closed the connection while `open` was running, and `open` has
                    // returned `Ok`.
                    State::Over => connection.expect_owed(),
                    // A handler or a `Peer` closed the connection.
                    State::Opening => connection.state = State::Over,
                    State::Authenticating | State::Active => {}
                }
                connection.owed.clear();
                connection.expect("close".into());
                connection.close_sent = true;
                self.records.push(Record::SendClose(slot, close_frame()));
            }
            Step::Disconnect => {
                connection.disconnect();
                self.records.push(Record::Disconnect(id, disconnect()));
            }
            _ => {}
        }
    }

    /// Activates a connection, since its `open` has returned `Ok`.
    ///
    /// With `is_closed_first`, another task closes the connection meanwhile, and appends its record
    /// before the activation.
    fn activate(&mut self, slot: Slot, pending: Option<usize>, is_closed_first: bool) {
        let Some(connection) = &mut self.connections[slot as usize] else {
            return;
        };
        let is_over = connection.state == State::Over;
        if connection.opened || connection.close_sent || connection.state == State::Authenticating {
            return;
        }
        connection.opened = true;
        self.counters.activate(&connection.transport);
        let id = connection.transport.id();
        if is_closed_first && !is_over {
            assert!(self.counters.deactivate(&connection.transport));
            self.records.push(Record::Deactivate(id));
        }
        connection.expect_owed();
        connection.state = match is_over || is_closed_first {
            true => State::Over,
            false => State::Active,
        };
        connection.was_active = connection.is_active();
        // The messages of a connection that never becomes active are dropped.
        let is_published = connection.is_active();
        let pending = pending.map(|index| {
            let to = Channel::Topic(topic(index));
            let frame = self.encode(&to, Some(slot), false, is_published);
            (topic(index), frame)
        });
        let pending = pending.into_iter().collect();
        self.records.push(Record::Activate(slot, pending));
        if is_over {
            // The hub closed the connection before. The connection's task notices that right after
            // the activation.
            let connection = self.connections[slot as usize].as_ref();
            let connection = connection.expect("checked above");
            assert!(self.counters.deactivate(&connection.transport));
            self.records.push(Record::Deactivate(id));
        }
    }

    fn publish_except(&mut self, slot: Slot, to: usize, is_stale: bool) {
        let generation = self.generation(slot) + u32::from(is_stale);
        let except = ConnectionId::new(slot, generation);
        let is_present = self.connection(slot).is_some() && !is_stale;
        let excluded = is_present.then_some(slot);
        let frame = self.encode(&Channel::Topic(topic(to)), excluded, false, true);
        self.records.push(Record::PublishExcept {
            topic: topic(to),
            frame,
            except,
        });
    }

    fn request_subscribers(&mut self, index: usize) {
        let (reply, answer) = oneshot::channel();
        let connections = self.connections.iter().flatten();
        let active = connections.filter(|connection| connection.is_active());
        let subscribed = active.filter(|connection| connection.topics.contains(&index));
        let expected = subscribed.map(|connection| connection.transport.id());
        self.requests.push((answer, expected.collect()));
        self.records.push(Record::Subscribers(topic(index), reply));
    }

    pub(super) fn publish(&mut self, slot: Slot, to: Channel, has_sender: bool, is_long: bool) {
        let sender = self.connection(slot).filter(|_| has_sender);
        let from = sender.is_some().then_some(slot);
        let sender = sender.as_deref();
        let is_published =
            sender.is_none_or(|sender| sender.was_active || sender.state != State::Over);
        let frame = self.encode(&to, from, is_long, is_published);
        self.records.push(Record::Publish {
            channel: to,
            from,
            frame,
        });
    }

    /// Encodes a message. If it is published, notes the message for each connection that must get
    /// it.
    fn encode(
        &mut self,
        to: &Channel,
        from: Option<Slot>,
        is_long: bool,
        is_published: bool,
    ) -> Encoded {
        self.published += 1;
        let text = format!("message {} to {to:?}", self.published);
        let width = if is_long { 300 } else { 0 };
        let frame = Encoded::new(&Message::from(format!("{text:width$}")), Some(200));
        for connection in self.connections.iter_mut().flatten() {
            let is_sender = from == Some(connection.transport.id().slot());
            if is_published && connection.is_in(to) && !is_sender {
                let form = connection.transport.form();
                let name = name(&text, is_long, form);
                self.names.insert(frame.frame(form).to_vec(), name.clone());
                connection.receive(name);
            }
        }
        frame
    }

    fn disconnect_topic(&mut self, index: usize) {
        for connection in self.connections.iter_mut().flatten() {
            if connection.topics.contains(&index) {
                connection.disconnect();
            }
        }
        let record = Record::DisconnectTopic(topic(index), close_frame());
        self.records.push(record);
    }

    pub(super) fn leave(&mut self, slot: Slot) {
        let Some(connection) = self.connections[slot as usize].take() else {
            return;
        };
        if self.counters.deactivate(&connection.transport) {
            let id = connection.transport.id();
            self.records.push(Record::Deactivate(id));
        }
        self.records.push(Record::Leave(slot));
        self.left.push(connection);
    }

    /// Appends records for the connection that had the slot before.
    fn append_stale(&mut self, slot: Slot) {
        let is_present = self.connection(slot).is_some();
        let last = self.generation(slot);
        let Some(generation) = last.checked_sub(u32::from(is_present)) else {
            return;
        };
        let id = ConnectionId::new(slot, generation);
        self.records.push(Record::Deactivate(id));
        self.records.push(Record::Disconnect(id, disconnect()));
    }
}
