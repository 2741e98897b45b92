//! A server on a free port.

use std::net::SocketAddr;

use harpia::{App, Hub};
use tokio::task::JoinHandle;

use crate::{Client, RawClient, within};

/// An app that serves on a free port of 127.0.0.1. Dropping it shuts it down.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    hub: Hub,
    serving: JoinHandle<harpia::Result>,
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
            address: server.local_addr().tcp().expect("a TCP address"),
            hub: server.handle(),
            // The task ends with the shutdown that `drop` starts, or with the test's runtime.
            serving: tokio::spawn(server.serve()),
        }
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the hub of the server.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Connects a client.
    pub async fn connect(&self, path: &str) -> Client {
        Client::connect(self.address, path, &[]).await
    }

    /// Connects a client and waits until it is active. `open` must not send anything.
    pub async fn join(&self, path: &str) -> Client {
        self.connect(path).await.active().await
    }

    /// Connects a client that sends extra headers.
    pub async fn connect_with(&self, path: &str, headers: &[(&str, &str)]) -> Client {
        Client::connect(self.address, path, headers).await
    }

    /// Requests an upgrade that the server must refuse; returns status and body.
    pub async fn refused(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        Client::refused(self.address, path, headers).await
    }

    /// Connects a client that reads and writes bytes.
    pub async fn connect_raw(&self, path: &str) -> RawClient {
        RawClient::connect(self.address, path).await
    }

    /// Sends the bytes of an HTTP request; returns the whole response.
    pub async fn request(&self, text: &str) -> String {
        RawClient::request(self.address, text).await
    }

    /// Shuts the server down and waits until it has finished.
    ///
    /// # Panics
    ///
    /// If that takes longer than 20 seconds, or the server panics.
    pub async fn shut_down(mut self) {
        self.hub.shutdown();
        let ended = within(&mut self.serving).await;
        assert!(matches!(ended, Ok(Ok(()))), "the server crashed: {ended:?}");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.hub.shutdown();
    }
}
