//! The writers: tasks that update the state and publish it, or clients whose messages are
//! broadcast.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harpia_tests::TestServer;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::world::{Way, World};

/// The rate at which a writer makes updates.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// One update every millisecond.
    Steady,
    /// 20 updates at once, every 8 ms.
    Bursts,
}

impl Load {
    fn period(self) -> Duration {
        match self {
            Self::Steady => Duration::from_millis(1),
            Self::Bursts => Duration::from_millis(8),
        }
    }

    fn updates(self) -> u64 {
        match self {
            Self::Steady => 1,
            Self::Bursts => 20,
        }
    }
}

const WRITERS: usize = 3;

/// The running writers.
#[derive(Debug)]
pub(crate) struct Writers {
    stopping: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Starts three writers.
    pub(crate) async fn start(
        world: &Arc<World>,
        server: &TestServer,
        way: Way,
        load: Load,
    ) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        for _ in 0..WRITERS {
            clients.push(match way {
                Way::Automatic => Some(server.join("/senders").await),
                Way::Topic | Way::Broadcast => None,
            });
        }
        let mut tasks = Vec::new();
        for (number, mut client) in clients.into_iter().enumerate() {
            // Publishes and hub broadcasts happen under one lock, so the writers share one count.
            let name = match way {
                Way::Automatic => format!("writer{number}"),
                Way::Topic | Way::Broadcast => "all".to_owned(),
            };
            let stopping = Arc::clone(&stopping);
            let (world, hub) = (Arc::clone(world), server.hub().clone());
            // The task ends when `stop` is called, or with the test's runtime.
            tasks.push(tokio::spawn(async move {
                let mut ticks = interval(load.period());
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let mut sent = 0;
                while !stopping.load(Ordering::Relaxed) {
                    ticks.tick().await;
                    for _ in 0..load.updates() {
                        sent += 1;
                        match &mut client {
                            Some(client) => client.send(&format!("{name}:{sent}")).await,
                            None => world.publish(&hub, &name, ""),
                        }
                    }
                    if let Some(client) = &mut client {
                        client.discard_received().await;
                    }
                }
            }));
        }
        Self { stopping, tasks }
    }

    /// Stops the writers and waits until they have ended.
    pub(crate) async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("a writer ends without a panic");
        }
    }
}
