//! A progress line on standard error. Prints nothing if standard error is not a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, spawn_local};
use tokio::time::interval;

use crate::report::with_commas;

/// Keeps the line up to date. Dropping it erases the line.
#[derive(Debug)]
pub(crate) struct Progress(Option<AbortHandle>);

impl Progress {
    /// Shows a growing count: with its total if there is one, else with its rate per second.
    pub(crate) fn counting(
        what: &'static str,
        things: &'static str,
        total: Option<usize>,
        count: impl Fn() -> u64 + 'static,
    ) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        // Aborted when this value is dropped.
        let task = spawn_local(async move {
            let start = Instant::now();
            let mut ticks = interval(Duration::from_millis(250));
            let mut last = (start, count());
            loop {
                ticks.tick().await;
                let now = (Instant::now(), count());
                let passed = (now.0 - last.0).as_secs_f64().max(0.001);
                let speed = (now.1 - last.1) as f64 / passed;
                let figure = match total {
                    Some(total) => format!("{} of {total} {things}", now.1),
                    None => format!("{} {things}/s", with_commas(speed, 0)),
                };
                eprint!(
                    "\r\x1b[K{what}  {:.1} s  {figure}",
                    start.elapsed().as_secs_f64()
                );
                let _ = io::stderr().flush();
                last = now;
            }
        });
        Self(Some(task.abort_handle()))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
            eprint!("\r\x1b[K");
        }
    }
}
