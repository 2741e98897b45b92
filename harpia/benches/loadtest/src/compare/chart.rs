//! A bar chart of the results: the CPU time per million deliveries, on a logarithmic scale.

use std::fmt::Write;

use super::page::number;
use super::results::Results;
use super::scenario::{SCENARIOS, Scenario};

/// Draws an SVG that is readable on a light and on a dark background.
pub(super) fn draw(results: &Results, baseline: &str) -> String {
    let groups: Vec<Group> = SCENARIOS
        .iter()
        .filter(|scenario| scenario.is_in_chart())
        .filter_map(|scenario| Group::new(results, scenario, baseline))
        .collect();
    let values = groups
        .iter()
        .flat_map(|group| group.bars.iter().map(|bar| bar.value));
    let scale = Scale::over(values);
    let height = TOP + groups.iter().map(Group::height).sum::<f64>();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"Server CPU per million deliveries\">\n{STYLE}\n\
         <text class=\"title\" x=\"0\" y=\"18\">Server CPU, seconds per million deliveries \
         (less is better; logarithmic)</text>\n"
    );
    let mut y = TOP;
    for group in &groups {
        group.draw(&mut svg, y, &scale);
        y += group.height();
    }
    svg.push_str("</svg>\n");
    svg
}

/// The bars of one scenario.
struct Group {
    title: &'static str,
    bars: Vec<Bar>,
}

struct Bar {
    server: String,
    value: f64,
    /// The value divided by that of the baseline.
    ratio: f64,
    is_baseline: bool,
}

impl Group {
    /// Returns `None` if the baseline has no run of this scenario.
    fn new(results: &Results, scenario: &Scenario, baseline: &str) -> Option<Self> {
        let cost = |server: &str| {
            let range = results.range(scenario.name, server, scenario.metrics[0])?;
            // CPU time is counted in steps of 10 ms, so a short run may have used none.
            Some(range.best).filter(|&best| best > 0.0)
        };
        let own = cost(baseline)?;
        let mut bars: Vec<Bar> = results
            .servers(scenario.name)
            .into_iter()
            .filter_map(|server| {
                let value = cost(server)?;
                Some(Bar {
                    server: server.to_owned(),
                    value,
                    ratio: value / own,
                    is_baseline: server == baseline,
                })
            })
            .collect();
        bars.sort_by(|one, other| one.value.total_cmp(&other.value));
        let title = scenario.title;
        Some(Self { title, bars })
    }

    fn height(&self) -> f64 {
        HEADING + ROW * self.bars.len() as f64 + GAP
    }

    fn draw(&self, svg: &mut String, top: f64, scale: &Scale) {
        let bottom = top + self.height() - GAP;
        for power in scale.low..=scale.high {
            let x = scale.x(10f64.powi(power));
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
                top + HEADING
            );
        }
        let _ = writeln!(
            svg,
            "<text class=\"group\" x=\"0\" y=\"{:.1}\">{}</text>",
            top + 15.0,
            self.title
        );
        for (index, bar) in self.bars.iter().enumerate() {
            bar.draw(svg, top + HEADING + ROW * index as f64, scale);
        }
    }
}

impl Bar {
    fn draw(&self, svg: &mut String, y: f64, scale: &Scale) {
        let class = if self.is_baseline { "first" } else { "other" };
        let (base, end) = (y + 14.0, scale.x(self.value));
        let (value, ratio) = (number(self.value), number(self.ratio));
        let _ = writeln!(
            svg,
            "<text class=\"name {class}\" x=\"{:.1}\" y=\"{base:.1}\">{}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.1}\" \
             width=\"{:.1}\" height=\"14\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{base:.1}\">{value} s · {ratio} ×</text>",
            LEFT - 8.0,
            self.server,
            y + 3.0,
            end - LEFT,
            end + 6.0
        );
    }
}

/// The powers of ten at the left and at the right edge of the bars.
struct Scale {
    low: i32,
    high: i32,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(1.0, f64::min).log10().floor();
        let high = values.fold(1.0, f64::max).log10().ceil();
        Self {
            low: low as i32,
            high: (high as i32).max(low as i32 + 1),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        LEFT + share * (RIGHT - LEFT)
    }
}

const WIDTH: f64 = 800.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 680.0;
const TOP: f64 = 36.0;
const HEADING: f64 = 24.0;
const ROW: f64 = 20.0;
const GAP: f64 = 16.0;

const STYLE: &str = "<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 14px; font-weight: 600; }
.group { font-weight: 600; }
.name { text-anchor: end; }
.name.first { font-weight: 700; }
rect.first { fill: #c2410c; }
rect.other { fill: #8c959f; }
line { stroke: #d0d7de; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
rect.first { fill: #fb923c; }
rect.other { fill: #6e7681; }
line { stroke: #30363d; }
}
</style>";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bar_of_ten_times_the_value_is_one_decade_longer() {
        let mut results = Results::default();
        for (server, cpu) in [("mine", 0.2), ("theirs", 2.0)] {
            let figures = json!({"server_cpu_per_million": cpu});
            results.add(None, &SCENARIOS[0], server, figures).unwrap();
        }
        let svg = draw(&results, "mine");
        assert!(svg.contains("2.00 s · 10.0 ×"), "{svg}");
        let scale = Scale::over([0.2, 2.0].into_iter());
        let decade = scale.x(2.0) - scale.x(0.2);
        assert!((decade - (RIGHT - LEFT) / 2.0).abs() < 0.01);
        assert_eq!(scale.x(0.1), LEFT);
    }

    #[test]
    fn a_chart_without_results_has_no_bars() {
        assert!(!draw(&Results::default(), "mine").contains("<rect"));
    }
}
