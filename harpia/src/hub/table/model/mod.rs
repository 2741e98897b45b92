//! The table, compared with a simple model under random records and random flush rounds.
//!
//! The model applies each record at once, and notes the messages that each connection must get. An
//! active connection must get a message at once. A connection whose `open` is running must get it
//! once `open` has returned `Ok`. However the records are divided into rounds, each connection must
//! get exactly the noted messages, in the same order.

mod check;
mod connection;
mod run;
mod steps;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;
use tokio::sync::oneshot;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::hub::counters::Counters;
use crate::hub::record::{Channel, Record};
use crate::id::{ConnectionId, Slot};
use crate::protocol::{Form, frame};
use crate::transport::test_peer::TestSockets;

use super::{FollowUp, Table};
use connection::{Connection, State};
use steps::{SLOTS, Step, steps, topic};

struct Model {
    wire: TestSockets,
    counters: Arc<Counters>,
    table: Table,
    /// The records of the current round.
    records: Vec<Record>,
    /// The connections, by slot.
    connections: [Option<Connection>; SLOTS as usize],
    /// The generation of the last connection in each slot.
    generations: [u32; SLOTS as usize],
    /// The connections that left in the current round.
    left: Vec<Connection>,
    /// How many messages were published, to number them.
    published: usize,
    /// The requests for subscribers in the current round, each with the right answer.
    requests: Vec<(Answer, Vec<ConnectionId>)>,
    /// A readable name for the bytes of each frame.
    names: HashMap<Vec<u8>, String>,
}

type Answer = oneshot::Receiver<Arc<[ConnectionId]>>;

impl Model {
    fn new() -> Self {
        let counters = Arc::<Counters>::default();
        let close = frame::encode_close(&close_frame());
        Self {
            wire: TestSockets::new(),
            table: Table::new(Arc::clone(&counters)),
            counters,
            records: Vec::new(),
            connections: [const { None }; SLOTS as usize],
            generations: [0; SLOTS as usize],
            left: Vec::new(),
            published: 0,
            requests: Vec::new(),
            names: HashMap::from([(close.to_vec(), "close".to_owned())]),
        }
    }

    fn connection(&mut self, slot: Slot) -> Option<&mut Connection> {
        self.connections[slot as usize].as_mut()
    }

    fn generation(&self, slot: Slot) -> u32 {
        self.generations[slot as usize]
    }

    /// Applies the records in one flush round, and checks what each connection got.
    fn flush(&mut self) {
        let mut released = Vec::new();
        self.table.begin_round();
        for record in self.records.drain(..) {
            if let FollowUp::ReleaseSlot(id) = self.table.apply(record) {
                released.push(id);
            }
        }
        self.table.deliver();
        let left = self.left.iter();
        let left: Vec<ConnectionId> = left.map(|left| left.transport.id()).collect();
        assert_eq!(released, left);
        for mut connection in self.left.drain(..) {
            connection.check(&self.names);
        }
        for connection in self.connections.iter_mut().flatten() {
            connection.check(&self.names);
        }
        assert_eq!(
            self.table.is_empty(),
            self.connections.iter().all(Option::is_none)
        );
        for (mut answer, expected) in self.requests.drain(..) {
            let ids = answer.try_recv().expect("an answer in the same round");
            let ids: HashSet<_> = ids.iter().copied().collect();
            assert_eq!(ids, expected.into_iter().collect());
        }
        self.table.check();
    }
}

fn disconnect() -> Close {
    Close::new(CloseCause::Disconnect, close_frame())
}

fn close_frame() -> CloseFrame {
    CloseFrame::bare(CloseCode::NORMAL)
}

fn name(text: &str, is_long: bool, form: Form) -> String {
    let form = if is_long { form } else { Form::Plain };
    format!("{text} {form:?}")
}

#[test]
fn a_topic_is_forgotten_if_its_last_member_is_closed_between_two_rounds() {
    let mut model = Model::new();
    for _ in 0..50 {
        model.run(
            0,
            Step::Enter {
                route: 0,
                accepts_deflated: false,
                authenticates: false,
            },
        );
        model.run(0, Step::Subscribe(0));
        model.run(0, Step::Activate(None));
        model.publish(0, Channel::Topic(topic(0)), false, false);
        model.flush();
        // The sweep does this after a deadline.
        model.table.request_close(0, disconnect());
        model.connection(0).unwrap().disconnect();
        model.leave(0);
        model.flush();
    }
    assert!(
        model.table.channels.len() <= 3,
        "{}",
        model.table.channels.len()
    );
}

proptest! {
    #[test]
    fn each_connection_gets_every_message_from_its_open_to_its_leave_in_order(
        steps in steps(),
        shuts_down in any::<bool>(),
    ) {
        let mut model = Model::new();
        for (slot, step) in steps {
            model.run(slot, step);
        }
        if shuts_down {
            model.records.push(Record::Shutdown);
            for connection in model.connections.iter_mut().flatten() {
                connection.state = State::Over;
            }
            model.publish(0, Channel::Server, false, false);
        }
        model.flush();
        for slot in 0..SLOTS {
            model.leave(slot);
        }
        model.flush();
        prop_assert_eq!(model.counters.active(), 0);
        prop_assert!(!model.counters.has_deflating());
    }
}
