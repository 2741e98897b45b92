//! WebSocket libraries of other languages, as clients of a harpia server.
//!
//! There is one program for each language. All of them do the same. The first argument is the URL,
//! and the second is `plain` or `deflate`: whether the program offers permessage-deflate.
//!
//! 1. Connect, and print the extension that the library reports: `none` or its name.
//! 2. Send a text, a binary message, a text of 42,000 bytes and a binary message of 40,960 bytes.
//!    The server echoes each, and the program prints what it receives.
//! 3. Close with 1000 and the reason `done`. Print the code of the server's close frame.
//! 4. Connect again and send `close`. The server closes with 4001 and a reason. Print the code and
//!    the reason that the library reports.
//!
//! [`transcript`] is what a program must print.

mod program;
mod relay;

use std::process::Command;

use harpia::prelude::*;
use harpia_tests::{Events, TestServer};

use program::Program;
use relay::Relay;

/// The bytes of all messages that a program sends and receives, at least.
const CONTENT: u64 = 42_000 + 40_960;

/// Echoes each message, closes when it is told to, and reports each close.
struct Echo(Events);

#[ws_route("/echo", broadcast = off, compression = "64B")]
impl Echo {
    fn message(&self, ws: &mut Socket, message: Message) {
        match message {
            Message::Text(text) if text == "close" => ws.close(4001, "As You Wish 🌿"),
            message => drop(ws.send(message)),
        };
    }

    fn close(&self, code: CloseCode, reason: &str) {
        self.0.note(format_args!("{code} {reason}"));
    }
}

/// Returns what a program must print.
fn transcript(extension: &str) -> String {
    format!(
        "extension: {extension}\n\
         text: Grüße 🌿\n\
         binary: 00ff7f80\n\
         long text: 42000 bytes, as sent\n\
         long binary: 40960 bytes, as sent\n\
         closed by the client: 1000\n\
         closed by the server: 4001 As You Wish 🌿\n"
    )
}

/// Checks a program in one of its modes; returns how many bytes it has sent and received.
async fn talk(program: &Program, mode: &str, extension: &str) -> (u64, u64) {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Echo(events.clone()))).await;
    let relay = Relay::start(server.address()).await;
    let url = format!("ws://{}/echo", relay.address());
    let output = program.run(&[&url, mode]).await;
    assert_eq!(output, transcript(extension), "in the mode {mode}");
    assert_eq!(events.next().await, "1000 done");
    assert_eq!(events.next().await, "4001 As You Wish 🌿");
    relay.finish().await
}

/// Checks a program in both modes.
async fn check(program: Program) {
    let (sent, received) = talk(&program, "plain", "none").await;
    assert!(sent > CONTENT && received > CONTENT, "{sent}, {received}");
    let (sent, received) = talk(&program, "deflate", "permessage-deflate").await;
    // Both sides compress the long messages. What is left is mostly the handshakes.
    let limit = CONTENT / 10;
    assert!(sent < limit && received < limit, "{sent}, {received}");
}

#[tokio::test]
#[ignore = "needs Python's websockets: tests/run"]
async fn websockets_of_python_exchanges_messages_and_closes() {
    check(Program::interpreted("/usr/bin/python3", "client.py")).await;
}

#[tokio::test]
#[ignore = "needs Node.js and ws: tests/run"]
async fn ws_of_javascript_exchanges_messages_and_closes() {
    // A Node.js that is not Debian's does not look where Debian's packages are.
    let program = Program::interpreted("node", "client.js").with("NODE_PATH", "/usr/share/nodejs");
    check(program).await;
}

#[tokio::test]
#[ignore = "needs Go and gorilla/websocket: tests/run"]
async fn gorilla_of_go_exchanges_messages_and_closes() {
    let program = Program::compiled("client.go", |source, program| {
        let mut compiler = Command::new("go");
        // Debian's packages of Go are sources in this folder.
        compiler.env("GOPATH", "/usr/share/gocode");
        compiler.env("GO111MODULE", "off");
        compiler.env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"));
        compiler.args(["build", "-o", program, source]);
        compiler
    });
    check(program).await;
}

#[tokio::test]
#[ignore = "needs a C++ compiler and WebSocket++: tests/run"]
async fn websocketpp_of_cpp_exchanges_messages_and_closes() {
    let program = Program::compiled("client.cpp", |source, program| {
        let mut compiler = Command::new("c++");
        // The library is older than C++20. It can use Asio without Boost.
        compiler.args(["-std=c++14", "-DASIO_STANDALONE", source, "-o", program]);
        compiler.args(["-lz", "-pthread"]);
        compiler
    });
    check(program).await;
}

#[tokio::test]
#[ignore = "needs a Java compiler and Netty: tests/run"]
async fn netty_of_java_exchanges_messages_and_closes() {
    // Debian's netty-all.jar is empty.
    let parts = [
        "buffer",
        "codec",
        "codec-http",
        "common",
        "handler",
        "resolver",
        "transport",
    ];
    let libraries = parts.map(|part| format!("/usr/share/java/netty-{part}.jar"));
    check(Program::java("client.java", "Client", &libraries.join(":"))).await;
}
