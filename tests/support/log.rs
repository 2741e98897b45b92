//! The log of a test.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::dispatcher::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Captures all log lines of this thread at level TRACE, including those of other crates.
///
/// The capture ends when this is dropped. A test's runtime has one thread by default, so the
/// connections of its server run on this thread too.
#[derive(Debug)]
pub struct Log {
    writer: Writer,
    _guard: DefaultGuard,
}

impl Log {
    /// Starts to capture.
    pub fn begin() -> Self {
        let writer = Writer::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(writer.clone());
        Self {
            writer,
            _guard: subscriber.finish().set_default(),
        }
    }

    /// Returns the log so far, without the lines of tungstenite.
    ///
    /// Tungstenite is the test's own client. It logs everything that it sends.
    pub fn text(&self) -> String {
        let lock = self.writer.lock();
        let text = String::from_utf8_lossy(&lock);
        let lines = text.lines().filter(|line| !line.contains("tungstenite"));
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

#[derive(Clone, Debug, Default)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl Writer {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Writer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
