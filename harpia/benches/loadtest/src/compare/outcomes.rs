//! What came of all runs: one line of JSON each, the best of them, and their range.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::scenario::{Better, Figure, Scenario};

/// All runs so far.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    runs: Vec<Value>,
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) best: f64,
    pub(super) worst: f64,
}

impl Outcomes {
    /// Reads the runs of an earlier time, if there are any.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let runs = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        Ok(Self { runs })
    }

    /// Keeps one run, in the file too, so that it outlives an interruption.
    pub(super) fn add(
        &mut self,
        path: Option<&Path>,
        scenario: &Scenario,
        server: &str,
        figures: Value,
    ) -> io::Result<()> {
        let run = json!({"scenario": scenario.name, "server": server, "figures": figures});
        if let Some(path) = path {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            writeln!(file, "{run}")?;
        }
        self.runs.push(run);
        Ok(())
    }

    /// Returns the servers that were put under this load, in the order of their first run.
    pub(super) fn servers(&self, scenario: &str) -> Vec<&str> {
        let mut servers = Vec::new();
        for run in self.runs.iter().filter(|run| run["scenario"] == scenario) {
            let server = run["server"].as_str().unwrap_or_default();
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    /// Returns how many runs the most often run load had against one server.
    pub(super) fn turns(&self) -> usize {
        let same = |one: &Value, other: &Value| {
            one["scenario"] == other["scenario"] && one["server"] == other["server"]
        };
        let runs = &self.runs;
        let counts = runs
            .iter()
            .map(|one| runs.iter().filter(|other| same(one, other)).count());
        counts.max().unwrap_or(0)
    }

    /// Returns the seconds that the shortest of the timed runs was measured for.
    pub(super) fn seconds(&self) -> f64 {
        let seconds = self
            .runs
            .iter()
            .filter_map(|run| run["figures"]["seconds"].as_f64());
        seconds.fold(f64::INFINITY, f64::min)
    }

    /// Returns nothing if no run came to this figure.
    pub(super) fn range(&self, scenario: &str, server: &str, figure: &Figure) -> Option<Range> {
        let of_these = self
            .runs
            .iter()
            .filter(|run| run["scenario"] == scenario && run["server"] == server);
        let values = of_these.filter_map(|run| run["figures"][figure.key].as_f64());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        match (low.is_finite(), figure.better) {
            (false, _) => None,
            (true, Better::Less) => Some(Range {
                best: low,
                worst: high,
            }),
            (true, Better::More) => Some(Range {
                best: high,
                worst: low,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::SCENARIOS;
    use super::*;

    #[test]
    fn the_best_run_is_the_one_its_figure_says() {
        let mut outcomes = Outcomes::default();
        let scenario = &SCENARIOS[0];
        for (cpu, speed) in [(0.3, 100), (0.2, 80)] {
            let figures = json!({"server_cpu_per_million": cpu, "deliveries_per_second": speed});
            outcomes.add(None, scenario, "mine", figures).unwrap();
        }
        outcomes.add(None, scenario, "theirs", json!({})).unwrap();
        assert_eq!(outcomes.servers(scenario.name), ["mine", "theirs"]);
        let range =
            |index: usize, server| outcomes.range(scenario.name, server, scenario.figures[index]);
        assert_eq!(
            range(0, "mine"),
            Some(Range {
                best: 0.2,
                worst: 0.3
            })
        );
        assert_eq!(
            range(1, "mine"),
            Some(Range {
                best: 100.0,
                worst: 80.0
            })
        );
        assert_eq!(range(0, "theirs"), None);
        assert_eq!(outcomes.turns(), 2);
    }
}
