//! Compare: all loads against several servers in turns.

use std::io;

use clap::Args;

/// The options of `loadtest compare`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Compare {}

impl Compare {
    pub(crate) async fn run(&self) -> io::Result<()> {
        Ok(())
    }
}
