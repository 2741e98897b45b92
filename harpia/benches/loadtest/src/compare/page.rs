//! The results as a Markdown page: the goals, then a table for each scenario.

use std::borrow::Cow;
use std::fmt;

use super::results::{Range, Results};
use super::scenario::{Better, Bound, Goal, Metric, SCENARIOS, Scenario};
use crate::report::with_commas;

/// The contents of the page.
pub(super) struct Page<'a> {
    pub(super) results: &'a Results,
    /// The server that all others are compared with.
    pub(super) baseline: &'a str,
    pub(super) facts: &'a [String],
    /// The file name of the chart, which is in the same directory as the page.
    pub(super) chart: Option<Cow<'a, str>>,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Results\n")?;
        writeln!(
            f,
            "`harpia/benches/run` generates this page. [README.md](README.md) explains the metrics."
        )?;
        let (rounds, seconds) = (self.results.rounds(), number(self.results.seconds()));
        writeln!(
            f,
            "Each value is the best of up to {rounds} runs of {seconds} s each; \"to\" gives the \
             worst.\nCounts of failures (lost, out of order, connections lost) are the worst of \
             all runs.\n"
        )?;
        if let Some(chart) = &self.chart {
            writeln!(f, "![Server CPU per million deliveries]({chart})\n")?;
        }
        for fact in self.facts {
            writeln!(f, "- {fact}")?;
        }
        self.write_goals(f)?;
        for scenario in SCENARIOS {
            self.write_table(f, scenario)?;
        }
        Ok(())
    }
}

impl Page<'_> {
    fn write_goals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let baseline = self.baseline;
        writeln!(f, "\n## Goals\n")?;
        writeln!(
            f,
            "| scenario | metric | {baseline} | compared with | ratio | goal | met |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---|")?;
        for scenario in SCENARIOS {
            for goal in scenario.goals {
                let Some(own) = self.results.range(scenario.name, baseline, goal.metric) else {
                    continue;
                };
                let Some(line) = self.goal_line(scenario, goal, own.best) else {
                    continue;
                };
                writeln!(f, "| {} | {} | {line}", scenario.title, goal.metric.label)?;
            }
        }
        Ok(())
    }

    /// Returns the cells from the value of the baseline on. `None` if a value is missing.
    fn goal_line(&self, scenario: &Scenario, goal: &Goal, own: f64) -> Option<String> {
        let metric = goal.metric;
        // The factor, and the name and value that it applies to. A plain value has neither.
        let (factor, other) = match goal.bound {
            Bound::Value(value) => (value, None),
            Bound::Server(factor, server) => {
                let theirs = self.results.range(scenario.name, server, metric)?.best;
                (factor, Some((server, theirs)))
            }
            Bound::Scenario(factor, name) => {
                let own_there = self.results.range(name, self.baseline, metric)?.best;
                (factor, Some((name, own_there)))
            }
        };
        let bound = factor * other.map_or(1.0, |(_, value)| value);
        let (sign, is_met) = match metric.better {
            Better::Less => ("≤", own <= bound),
            Better::More => ("≥", own >= bound),
        };
        let met = if is_met { "yes" } else { "**no**" };
        let own_text = number(own);
        Some(match other {
            None => format!("{own_text} | | | {sign} {} | {met} |", number(factor)),
            Some((name, value)) => {
                let (value_text, ratio) = (number(value), times(own, value));
                format!("{own_text} | {name}: {value_text} | {ratio} | {sign} {factor} × | {met} |")
            }
        })
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>, scenario: &Scenario) -> fmt::Result {
        let servers = self.results.servers(scenario.name);
        let Some((main, others)) = scenario.metrics.split_first() else {
            return Ok(());
        };
        if servers.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n## {}\n\n`loadtest {}`\n",
            scenario.title, scenario.arguments
        )?;
        write!(f, "| server | {} | × {} |", main.label, self.baseline)?;
        others
            .iter()
            .try_for_each(|metric| write!(f, " {} |", metric.label))?;
        writeln!(f, "\n|---|---:|---:|{}", "---:|".repeat(others.len()))?;
        for server in servers {
            let range = |metric| self.results.range(scenario.name, server, metric);
            let own = self.results.range(scenario.name, self.baseline, main);
            let ratio = match (range(main), own) {
                (Some(theirs), Some(own)) => times(theirs.best, own.best),
                _ => String::new(),
            };
            write!(f, "| {server} | {} | {ratio} |", cell(main, range(main)))?;
            others
                .iter()
                .try_for_each(|metric| write!(f, " {} |", cell(metric, range(metric))))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Formats the best value and, if it differs, the worst. For counts of failures, only the worst.
fn cell(metric: &Metric, range: Option<Range>) -> String {
    let Some(Range { best, worst }) = range else {
        return "failed".into();
    };
    if is_failure_count(metric) {
        return number(worst);
    }
    match number(best) == number(worst) {
        true => number(best),
        false => format!("{} <sub>to {}</sub>", number(best), number(worst)),
    }
}

fn is_failure_count(metric: &Metric) -> bool {
    ["lost", "late", "connections_lost"].contains(&metric.key)
}

fn times(value: f64, of: f64) -> String {
    format!("{} ×", number(value / of))
}

/// Formats a number with three significant digits, or a larger one without decimals.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size < 1.0 => with_commas(value, 3),
        size if size < 10.0 => with_commas(value, 2),
        size if size < 100.0 => with_commas(value, 1),
        _ => with_commas(value, 0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_has_goals_ranges_facts_and_the_chart() {
        let mut results = Results::default();
        for (server, cpu) in [
            ("mine", 0.2),
            ("bun-publish", 0.4),
            ("mine", 0.25),
            ("axum", 3.9),
        ] {
            let figures = json!({"server_cpu_per_million": cpu, "lost": 0});
            results.add(None, &SCENARIOS[0], server, figures).unwrap();
        }
        let page = Page {
            results: &results,
            baseline: "mine",
            facts: &["1 core".into()],
            chart: Some("bars.svg".into()),
        };
        let page = page.to_string();
        for part in [
            "| 0.200 | bun-publish: 0.400 | 0.500 × | ≤ 0.8 × | yes |",
            "| 0.200 | axum: 3.90 | 0.051 × | ≤ 0.05 × | **no** |",
            "| mine | 0.200 <sub>to 0.250</sub> | 1.00 × | failed |",
            "| axum | 3.90 | 19.5 × |",
            "](bars.svg)",
            "- 1 core",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
