//! `loadtest` puts a WebSocket server under load and tells what that costs.
//!
//! One thread makes all the load, so that a server on the same machine keeps the other cores. Each
//! load is a module of its own ([`fanout`], [`echo`], [`idle`], [`connect`], [`ping`]); [`compare`]
//! runs them all against several servers. Everything is bounded in time and stops by itself.

mod compare;
mod connect;
mod connection;
mod dialect;
mod echo;
mod fanout;
mod frame;
mod handshake;
mod histogram;
mod idle;
mod meter;
mod options;
mod ping;
mod process;
mod progress;
mod report;
mod stamp;
mod target;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::options::{Load, Options};
use crate::report::Report;

fn main() -> ExitCode {
    let load = Options::parse().load;
    match start(load) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(load: Load) -> io::Result<()> {
    if let Some(common) = load.common()
        && !common.url.is_loopback()
        && !common.anywhere
    {
        return Err(io::Error::other(
            "the server is on another machine: say --anywhere if it is yours to put under load",
        ));
    }
    process::allow_open_files(load.connections() as u64 + 100).map_err(io::Error::other)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        // A turn over thousands of sockets is one look at the kernel's list, not dozens.
        .event_interval(256)
        .max_io_events_per_tick(4096)
        .build()?;
    let done = runtime.block_on(LocalSet::new().run_until(run(load)));
    // Thousands of sockets and their tasks: the end of the process is the quickest way to drop them.
    if done.is_ok() {
        std::process::exit(0);
    }
    done
}

async fn run(load: Load) -> io::Result<()> {
    let is_json = load.common().is_some_and(|common| common.json);
    let report = match load.deadline() {
        Some(deadline) => timeout(deadline, measure(load))
            .await
            .map_err(|_| io::Error::other("gave up: the load did not end in time"))??,
        None => measure(load).await?,
    };
    match (report, is_json) {
        (None, _) => {}
        (Some(report), true) => println!("{}", report.to_json()),
        (Some(report), false) => print!("{report}"),
    }
    Ok(())
}

async fn measure(load: Load) -> io::Result<Option<Report>> {
    Ok(Some(match load {
        Load::Fanout(load) => load.run().await?,
        Load::Echo(load) => load.run().await?,
        Load::Idle(load) => load.run().await?,
        Load::Connect(load) => load.run().await?,
        Load::Ping(load) => load.run().await?,
        Load::Compare(load) => {
            load.run().await?;
            return Ok(None);
        }
    }))
}
