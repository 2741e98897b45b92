//! Compare: runs all scenarios against several servers, and writes a results page with a chart.
//!
//! The servers take turns, so that other activity on the machine affects all of them alike. Each
//! run starts a new server process and a new load process. Both have a time limit.

mod chart;
mod machine;
mod page;
mod results;
pub(crate) mod scenario;
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

use self::results::Results;
use self::scenario::{SCENARIOS, Scenario};
use self::server::{RunningServer, Server};
use crate::options::seconds;

/// The options of `loadtest compare`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Compare {
    /// A server to compare: NAME=COMMAND, or NAME:socketio=COMMAND. It must listen on 127.0.0.1
    /// and $PORT. May be repeated; the first server is the baseline
    #[arg(long = "server", required = true)]
    servers: Vec<Server>,
    /// Run only this scenario; may be repeated
    #[arg(long = "scenario", value_parser = scenario)]
    scenarios: Vec<&'static Scenario>,
    /// Run only this server; may be repeated
    #[arg(long)]
    only: Vec<String>,
    /// Runs of each scenario against each server; 0 only rewrites the page from earlier runs
    #[arg(long, alias = "turns", default_value_t = 3)]
    rounds: usize,
    /// Duration of the measurement in each run, in seconds
    #[arg(long, default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// A line for the page, about the machine or a version; may be repeated
    #[arg(long = "fact")]
    facts: Vec<String>,
    /// Write the page to this file; to standard output by default
    #[arg(long)]
    page: Option<PathBuf>,
    /// Write the chart to this SVG file; the page expects it in its own directory
    #[arg(long, alias = "picture")]
    chart: Option<PathBuf>,
    /// Append each run to this file as a line of JSON; the page includes the runs already in it
    #[arg(long)]
    lines: Option<PathBuf>,
}

impl Compare {
    pub(crate) async fn run(&self) -> io::Result<()> {
        let mut results = match &self.lines {
            Some(path) => Results::read(path)?,
            None => Results::default(),
        };
        let mut terminate = signal(SignalKind::terminate())?;
        // Dropping the future on a signal kills the server and the load that are running.
        tokio::select! {
            done = self.run_all(&mut results) => done?,
            _ = terminate.recv() => return Err(io::ErrorKind::Interrupted.into()),
            _ = tokio::signal::ctrl_c() => return Err(io::ErrorKind::Interrupted.into()),
        }
        self.write(&results)
    }

    async fn run_all(&self, results: &mut Results) -> io::Result<()> {
        for scenario in self.scenarios() {
            for round in 1..=self.rounds {
                for server in self.servers() {
                    let (rounds, name) = (self.rounds, &server.name);
                    eprint!("{} {round}/{rounds} {name} … ", scenario.name);
                    let figures = match self.measure(scenario, server).await {
                        Ok(figures) => figures,
                        Err(error) => json!({"error": error.to_string()}),
                    };
                    let main = scenario.metrics[0];
                    match figures.get(main.key) {
                        Some(value) => eprintln!("{value} {}", main.label),
                        None => eprintln!("{figures}"),
                    }
                    results.add(self.lines.as_deref(), scenario, name, figures)?;
                }
            }
        }
        Ok(())
    }

    async fn measure(&self, scenario: &Scenario, server: &Server) -> io::Result<Value> {
        let running = server.start().await?;
        let figures = timeout(RUN_LIMIT, self.run_load(scenario, server, &running)).await;
        running.stop().await?;
        figures?
    }

    async fn run_load(
        &self,
        scenario: &Scenario,
        server: &Server,
        running: &RunningServer,
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
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(message.trim().to_owned()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn write(&self, results: &Results) -> io::Result<()> {
        let baseline = &self.servers[0].name;
        if let Some(path) = &self.chart {
            fs::write(path, chart::draw(results, baseline))?;
        }
        let facts: Vec<String> = machine::facts()
            .into_iter()
            .chain(self.facts.clone())
            .collect();
        let chart = self.chart.as_deref().and_then(Path::file_name);
        let page = page::Page {
            results,
            baseline,
            facts: &facts,
            chart: chart.map(|name| name.to_string_lossy()),
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
    found.ok_or_else(|| format!("expected one of: {}", names.join(", ")))
}

/// Limits one run. Long enough for 10,000 handshakes with the slowest server, and for the load.
const RUN_LIMIT: Duration = Duration::from_secs(180);
