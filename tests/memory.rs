//! What a connection weighs, when it is idle and after a large message: a budget, not a benchmark.
//!
//! The server is a program of its own, so that only its memory counts: all that is resident, by
//! connections. That is task, socket, table entry, and what the allocator loses between them.
#![cfg(target_os = "linux")]

use harpia_tests::{Program, RawClient, masked};

const CONNECTIONS: usize = 5_000;

/// Some 1,100 bytes are measured; more than this would be a loss that somebody should know of.
const BUDGET: usize = 1_400;

const LARGE: usize = 256 * 1024;

const PING: u8 = 0x89;

#[tokio::test]
async fn an_idle_connection_stays_within_its_memory_budget_even_after_a_large_message() {
    let program = Program::start("example-echo");
    // What grows once with the first connections is not theirs.
    let warm = connect(&program, 100).await;
    let before = program.resident();
    let mut clients = connect(&program, CONNECTIONS).await;
    let idle = program.resident() - before;
    println!("{} bytes per idle connection", idle / CONNECTIONS);
    let message = masked(0x82, &vec![b'x'; LARGE]);
    for client in &mut clients {
        client.write(&message).await;
        let mut echo = client.read_frame().await;
        // A busy machine takes so long that the first are pinged.
        while echo.as_ref().is_some_and(|frame| frame.head == PING) {
            echo = client.read_frame().await;
        }
        assert_eq!(echo.map(|frame| frame.payload.len()), Some(LARGE));
    }
    let after = program.resident() - before;
    println!("{} after a message of 256 KiB", after / CONNECTIONS);
    assert!(idle <= BUDGET * CONNECTIONS, "{idle} bytes idle");
    assert!(after <= BUDGET * CONNECTIONS, "{after} bytes after");
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
