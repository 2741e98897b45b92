//! Memory per connection, idle and after a large message: a budget, not a benchmark.
//!
//! The server is a separate program, so that only its memory is counted. The figure is its
//! proportional set size divided by the number of connections. It includes the task, the socket,
//! the entry in the connection table, and the overhead of the allocator.
#![cfg(target_os = "linux")]

use harpia_tests::{Program, RawClient, masked};

const CONNECTIONS: usize = 5_000;

/// The allowed bytes per connection. About 1,100 bytes are measured.
const BUDGET: usize = 1_400;

const LARGE: usize = 256 * 1024;

const PING: u8 = 0x89;

#[tokio::test]
async fn an_idle_connection_stays_within_its_memory_budget_even_after_a_large_message() {
    let program = Program::start("example-echo");
    // The first connections also allocate memory that all connections share.
    let warm = connect(&program, 100).await;
    let before = program.resident();
    let mut clients = connect(&program, CONNECTIONS).await;
    let idle = program.resident() - before;
    println!("{} bytes per idle connection", idle / CONNECTIONS);
    let message = masked(0x82, &vec![b'x'; LARGE]);
    for client in &mut clients {
        client.write(&message).await;
        let mut echo = client.read_frame().await;
        // On a busy machine this loop takes so long that idle clients receive pings.
        while echo.as_ref().is_some_and(|frame| frame.head == PING) {
            echo = client.read_frame().await;
        }
        assert_eq!(echo.map(|frame| frame.payload.len()), Some(LARGE));
    }
    let after = program.resident() - before;
    println!("{} after a message of 256 KiB", after / CONNECTIONS);
    let budget = BUDGET * CONNECTIONS;
    assert!(idle <= budget, "{idle} bytes when idle");
    assert!(after <= budget, "{after} bytes after a large message");
    drop(warm);
}

async fn connect(program: &Program, count: usize) -> Vec<RawClient> {
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        let client = RawClient::connect(program.address(), "/echo").await;
        clients.push(client.active().await);
    }
    clients
}
