//! Compare: all loads against several servers in turns, as a page with a picture.
//!
//! The servers take turns, so that what else happens on the machine hits all of them. Each run has
//! a server of its own and a load in a process of its own, both bounded in time.

mod machine;
mod outcomes;
mod page;
mod picture;
mod scenario;
mod server;

use std::env::current_exe;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use self::outcomes::Outcomes;
use self::scenario::{SCENARIOS, Scenario};
use self::server::{Running, Server};
use crate::options::seconds;

/// The options of `loadtest compare`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Compare {
    /// NAME=COMMAND, or NAME:socketio=COMMAND; finds its port in $PORT. All others are compared to
    /// the first
    #[arg(long = "server", required = true)]
    servers: Vec<Server>,
    /// Only this scenario; may be said more than once
    #[arg(long = "scenario", value_parser = scenario)]
    scenarios: Vec<&'static Scenario>,
    /// Only this server; may be said more than once
    #[arg(long)]
    only: Vec<String>,
    /// Runs of each load against each server; 0 writes the page from the runs there are
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Seconds measured in each run
    #[arg(long, default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// Something to say about the machine or a version; may be said more than once
    #[arg(long = "fact")]
    facts: Vec<String>,
    /// The page to write; standard output without it
    #[arg(long)]
    page: Option<PathBuf>,
    /// The picture to write, beside the page
    #[arg(long)]
    picture: Option<PathBuf>,
    /// Where each run is added as a line of JSON; the runs that are there already count too
    #[arg(long)]
    lines: Option<PathBuf>,
}

impl Compare {
    pub(crate) async fn run(&self) -> io::Result<()> {
        let mut outcomes = match &self.lines {
            Some(path) => Outcomes::read(path)?,
            None => Outcomes::default(),
        };
        let mut terminate = signal(SignalKind::terminate())?;
        // Whatever ends this, ends the server and the load that are running.
        tokio::select! {
            done = self.take_turns(&mut outcomes) => done?,
            _ = terminate.recv() => return Err(io::ErrorKind::Interrupted.into()),
            _ = tokio::signal::ctrl_c() => return Err(io::ErrorKind::Interrupted.into()),
        }
        self.write(&outcomes)
    }

    async fn take_turns(&self, outcomes: &mut Outcomes) -> io::Result<()> {
        for scenario in self.scenarios() {
            for turn in 1..=self.turns {
                for server in self.servers() {
                    eprint!("{} {turn}/{} {} … ", scenario.name, self.turns, server.name);
                    let figures = match self.measure(scenario, server).await {
                        Ok(figures) => figures,
                        Err(error) => json!({"error": error.to_string()}),
                    };
                    let decides = scenario.figures[0];
                    match figures.get(decides.key) {
                        Some(value) => eprintln!("{value} {}", decides.label),
                        None => eprintln!("{figures}"),
                    }
                    outcomes.add(self.lines.as_deref(), scenario, &server.name, figures)?;
                }
            }
        }
        Ok(())
    }

    async fn measure(&self, scenario: &Scenario, server: &Server) -> io::Result<Value> {
        let running = server.start().await?;
        let figures = timeout(RUN, self.put_under_load(scenario, server, &running)).await;
        running.stop().await?;
        figures?
    }

    async fn put_under_load(
        &self,
        scenario: &Scenario,
        server: &Server,
        running: &Running,
    ) -> io::Result<Value> {
        let address = format!("ws://127.0.0.1:{}", running.port);
        let arguments = scenario.arguments.replace("{server}", &address);
        let mut load = Command::new(current_exe()?);
        load.args(arguments.split_whitespace())
            .args(["--url", &format!("{address}{}", scenario.path)])
            .args(["--pid", &running.pid.to_string()])
            .args(["--protocol", &server.protocol, "--json"]);
        if scenario.is_timed() {
            load.args(["--seconds", &self.seconds.as_secs_f64().to_string()]);
        }
        let output = load
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(said.trim().to_owned()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn write(&self, outcomes: &Outcomes) -> io::Result<()> {
        let first = &self.servers[0].name;
        if let Some(path) = &self.picture {
            fs::write(path, picture::draw(outcomes, first))?;
        }
        let facts: Vec<String> = machine::facts()
            .into_iter()
            .chain(self.facts.clone())
            .collect();
        let picture = self.picture.as_deref().and_then(Path::file_name);
        let page = page::Page {
            outcomes,
            first,
            facts: &facts,
            picture: picture.map(|name| name.to_string_lossy()),
        };
        match &self.page {
            Some(path) => fs::write(path, page.to_string()),
            None => {
                print!("{page}");
                Ok(())
            }
        }
    }

    fn scenarios(&self) -> impl Iterator<Item = &'static Scenario> {
        SCENARIOS.iter().filter(|scenario| {
            let chosen = &self.scenarios;
            chosen.is_empty() || chosen.iter().any(|other| other.name == scenario.name)
        })
    }

    fn servers(&self) -> impl Iterator<Item = &Server> {
        let is_chosen = |server: &&Server| self.only.is_empty() || self.only.contains(&server.name);
        self.servers.iter().filter(is_chosen)
    }
}

fn scenario(name: &str) -> Result<&'static Scenario, String> {
    let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
    found.ok_or_else(|| format!("one of: {}", names.join(", ")))
}

/// Ten thousand handshakes with the slowest server, the load itself, and what it leaves behind.
const RUN: Duration = Duration::from_secs(180);
