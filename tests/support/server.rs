//! A server on a free port, which ends with the test.

use std::net::SocketAddr;

use harpia::{App, Hub};
use tokio::task::JoinHandle;

use crate::{Client, RawClient, within};

/// An app that serves on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    hub: Hub,
    serving: JoinHandle<()>,
}

impl TestServer {
    /// Starts the app.
    ///
    /// # Panics
    ///
    /// If the app does not build.
    pub async fn start(app: App) -> Self {
        let server = match app.bind("127.0.0.1:0").await {
            Ok(server) => server,
            Err(error) => panic!("the app does not build: {error}"),
        };
        Self {
            address: server.local_addr(),
            hub: server.handle(),
            // Ends with the shutdown that `drop` begins, or with the test's runtime.
            serving: tokio::spawn(server.serve()),
        }
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Connects a client to a path.
    pub async fn connect(&self, path: &str) -> Client {
        Client::connect(self.address, path, &[]).await
    }

    /// Connects a client and waits until it is active, where nothing is sent to it before.
    pub async fn join(&self, path: &str) -> Client {
        self.connect(path).await.active().await
    }

    /// Connects a client that sends further headers.
    pub async fn connect_with(&self, path: &str, headers: &[(&str, &str)]) -> Client {
        Client::connect(self.address, path, headers).await
    }

    /// Asks for an upgrade that is to be refused; returns status and body.
    pub async fn refused(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        Client::refused(self.address, path, headers).await
    }

    /// Connects a client of bytes, upgraded.
    pub async fn connect_raw(&self, path: &str) -> RawClient {
        RawClient::connect(self.address, path).await
    }

    /// Sends a request as it is written; returns the whole answer.
    pub async fn request(&self, text: &str) -> String {
        RawClient::request(self.address, text).await
    }

    /// Shuts down and waits until all is over.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    pub async fn shut_down(mut self) {
        self.hub.shutdown();
        let ended = within(&mut self.serving).await;
        assert!(ended.is_ok(), "the server panicked: {ended:?}");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.hub.shutdown();
    }
}
