//! The results as a page of Markdown: what is reached, then a table for each load.

use std::borrow::Cow;
use std::fmt;

use super::outcomes::{Outcomes, Range};
use super::scenario::{Better, Bound, Figure, Goal, SCENARIOS, Scenario};
use crate::report::with_commas;

/// Everything that the page tells.
pub(super) struct Page<'a> {
    pub(super) outcomes: &'a Outcomes,
    /// The server that all others are compared to.
    pub(super) first: &'a str,
    pub(super) facts: &'a [String],
    /// The picture's file, beside the page.
    pub(super) picture: Option<Cow<'a, str>>,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Results\n")?;
        writeln!(
            f,
            "Written by `harpia/benches/run`, which makes every figure on this page anew."
        )?;
        let (turns, seconds) = (self.outcomes.turns(), number(self.outcomes.seconds()));
        writeln!(
            f,
            "[How to read them](README.md). The servers took turns; quoted is the best of"
        )?;
        writeln!(
            f,
            "up to {turns} runs of {seconds} s, and how far off the worst one was.\n"
        )?;
        if let Some(picture) = &self.picture {
            writeln!(f, "![Server CPU for each million deliveries]({picture})\n")?;
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
        let first = self.first;
        writeln!(f, "\n## What is to be reached\n")?;
        writeln!(
            f,
            "| work | figure | {first} | compared with | ratio | to reach | reached |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---|")?;
        for scenario in SCENARIOS {
            for goal in scenario.goals {
                let Some(own) = self.outcomes.range(scenario.name, first, goal.figure) else {
                    continue;
                };
                let Some(line) = self.goal_line(scenario, goal, own.best) else {
                    continue;
                };
                writeln!(f, "| {} | {} | {line}", scenario.title, goal.figure.label)?;
            }
        }
        Ok(())
    }

    /// Returns the cells from the first server's own figure on.
    fn goal_line(&self, scenario: &Scenario, goal: &Goal, own: f64) -> Option<String> {
        let figure = goal.figure;
        // How many times what, of whom; a value of its own is compared with nobody.
        let (factor, other) = match goal.bound {
            Bound::Value(value) => (value, None),
            Bound::Server(factor, server) => {
                let theirs = self.outcomes.range(scenario.name, server, figure)?.best;
                (factor, Some((server, theirs)))
            }
            Bound::Scenario(factor, name) => {
                let there = self.outcomes.range(name, self.first, figure)?.best;
                (factor, Some((name, there)))
            }
        };
        let bound = factor * other.map_or(1.0, |(_, value)| value);
        let (sign, is_reached) = match figure.better {
            Better::Less => ("≤", own <= bound),
            Better::More => ("≥", own >= bound),
        };
        let reached = if is_reached { "yes" } else { "**no**" };
        let own_text = number(own);
        Some(match other {
            None => format!("{own_text} | | | {sign} {} | {reached} |", number(factor)),
            Some((name, value)) => {
                let (value_text, ratio) = (number(value), times(own, value));
                format!(
                    "{own_text} | {name}: {value_text} | {ratio} | {sign} {factor} × | {reached} |"
                )
            }
        })
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>, scenario: &Scenario) -> fmt::Result {
        let servers = self.outcomes.servers(scenario.name);
        let Some((decides, others)) = scenario.figures.split_first() else {
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
        write!(f, "| server | {} | × {} |", decides.label, self.first)?;
        others
            .iter()
            .try_for_each(|figure| write!(f, " {} |", figure.label))?;
        writeln!(f, "\n|---|---:|---:|{}", "---:|".repeat(others.len()))?;
        for server in servers {
            let range = |figure| self.outcomes.range(scenario.name, server, figure);
            let own = self.outcomes.range(scenario.name, self.first, decides);
            let ratio = match (range(decides), own) {
                (Some(theirs), Some(own)) => times(theirs.best, own.best),
                _ => String::new(),
            };
            write!(
                f,
                "| {server} | {} | {ratio} |",
                cell(decides, range(decides))
            )?;
            others
                .iter()
                .try_for_each(|figure| write!(f, " {} |", cell(figure, range(figure))))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The best, and where the runs differ, how far they go; of faults, the worst.
fn cell(figure: &Figure, range: Option<Range>) -> String {
    let Some(Range { best, worst }) = range else {
        return "failed".into();
    };
    if is_fault(figure) {
        return number(worst);
    }
    match number(best) == number(worst) {
        true => number(best),
        false => format!("{} <sub>to {}</sub>", number(best), number(worst)),
    }
}

fn is_fault(figure: &Figure) -> bool {
    ["lost", "late", "connections_lost"].contains(&figure.key)
}

fn times(value: f64, of: f64) -> String {
    format!("{} ×", number(value / of))
}

/// Writes three digits that count, or all of a large number.
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
    fn a_page_tells_what_is_reached_and_shows_the_range() {
        let mut outcomes = Outcomes::default();
        for (server, cpu) in [
            ("mine", 0.2),
            ("bun-publish", 0.4),
            ("mine", 0.25),
            ("axum", 3.9),
        ] {
            let figures = json!({"server_cpu_per_million": cpu, "lost": 0});
            outcomes.add(None, &SCENARIOS[0], server, figures).unwrap();
        }
        let page = Page {
            outcomes: &outcomes,
            first: "mine",
            facts: &["1 core".into()],
            picture: Some("bars.svg".into()),
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
