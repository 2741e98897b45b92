//! `loadtest` puts a WebSocket server under load and reports what that costs the server.
//!
//! One thread generates all the load, so that a server on the same machine keeps the other cores.
//! Each load is a module ([`fanout`], [`echo`], [`idle`], [`connect`], [`ping`]), and [`compare`]
//! runs them all against several servers. Every load has a time limit.
//!
//! Imports point down: [`cli`] knows the loads, the loads know [`options`] and the tools below
//! ([`connector`], [`meter`], [`report`] and so on), and none of those knows a load.

mod cli;
mod compare;
mod connect;
mod connection;
mod connector;
mod dialect;
mod echo;
mod fanout;
mod frame;
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

use crate::cli::{Cli, Command};
use crate::report::Report;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match start(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> io::Result<()> {
    if let Some(common) = command.common()
        && !common.url.is_loopback()
        && !common.anywhere
    {
        return Err(io::Error::other(
            "the server is on another machine: pass --anywhere if you may put it under load",
        ));
    }
    process::allow_open_files(command.connections() as u64 + 100).map_err(io::Error::other)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        // With thousands of sockets, fetch many events with each system call.
        .event_interval(256)
        .max_io_events_per_tick(4096)
        .build()?;
    let done = runtime.block_on(LocalSet::new().run_until(run(command)));
    // Exiting is much faster than dropping thousands of sockets and their tasks.
    if done.is_ok() {
        std::process::exit(0);
    }
    done
}

async fn run(command: Command) -> io::Result<()> {
    let is_json = command.common().is_some_and(|common| common.json);
    let report = match command.deadline() {
        Some(deadline) => timeout(deadline, measure(command))
            .await
            .map_err(|_| io::Error::other("gave up: the load did not finish in time"))??,
        None => measure(command).await?,
    };
    match (report, is_json) {
        (None, _) => {}
        (Some(report), true) => println!("{}", report.to_json()),
        (Some(report), false) => print!("{report}"),
    }
    Ok(())
}

async fn measure(command: Command) -> io::Result<Option<Report>> {
    Ok(Some(match command {
        Command::Fanout(load) => load.run().await?,
        Command::Echo(load) => load.run().await?,
        Command::Idle(load) => load.run().await?,
        Command::Connect(load) => load.run().await?,
        Command::Ping(load) => load.run().await?,
        Command::Compare(compare) => {
            compare.run().await?;
            return Ok(None);
        }
    }))
}
