//! The results of all runs. A file keeps one line of JSON for each run.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::scenario::{Better, Metric, Scenario};

/// All runs so far.
#[derive(Debug, Default)]
pub(super) struct Results {
    runs: Vec<Value>,
}

/// The best and the worst value of a metric over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) best: f64,
    pub(super) worst: f64,
}

impl Results {
    /// Reads earlier runs from a file. There are none if the file does not exist.
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

    /// Adds one run, and appends it to the file at once, so that an interruption loses no run.
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

    /// Returns the servers with runs of this scenario, in the order of their first run.
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

    /// Returns the largest number of runs of one scenario against one server.
    pub(super) fn rounds(&self) -> usize {
        let same = |one: &Value, other: &Value| {
            one["scenario"] == other["scenario"] && one["server"] == other["server"]
        };
        let runs = &self.runs;
        let counts = runs
            .iter()
            .map(|one| runs.iter().filter(|other| same(one, other)).count());
        counts.max().unwrap_or(0)
    }

    /// Returns the shortest duration of the measurement in all timed runs, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        let seconds = self
            .runs
            .iter()
            .filter_map(|run| run["figures"]["seconds"].as_f64());
        seconds.fold(f64::INFINITY, f64::min)
    }

    /// Returns the range of a metric. `None` if no run has a value for it.
    pub(super) fn range(&self, scenario: &str, server: &str, metric: &Metric) -> Option<Range> {
        let runs = self
            .runs
            .iter()
            .filter(|run| run["scenario"] == scenario && run["server"] == server);
        let values = runs.filter_map(|run| run["figures"][metric.key].as_f64());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        match (low.is_finite(), metric.better) {
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
    fn the_metric_decides_whether_the_lowest_or_the_highest_value_is_best() {
        let mut results = Results::default();
        let scenario = &SCENARIOS[0];
        for (cpu, speed) in [(0.3, 100), (0.2, 80)] {
            let figures = json!({"server_cpu_per_million": cpu, "deliveries_per_second": speed});
            results.add(None, scenario, "mine", figures).unwrap();
        }
        results.add(None, scenario, "theirs", json!({})).unwrap();
        assert_eq!(results.servers(scenario.name), ["mine", "theirs"]);
        let range =
            |index: usize, server| results.range(scenario.name, server, scenario.metrics[index]);
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
        assert_eq!(results.rounds(), 2);
    }
}
