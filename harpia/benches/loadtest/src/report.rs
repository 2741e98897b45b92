//! The results of a load: one line of JSON for programs, a table for people.

use std::fmt;

use serde_json::{Map, Value, json};

/// Named figures, in the order in which they are printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    key: &'static str,
    label: String,
    value: f64,
    digits: usize,
}

impl Report {
    /// Adds a whole number.
    pub(crate) fn count(
        &mut self,
        key: &'static str,
        label: impl Into<String>,
        value: u64,
    ) -> &mut Self {
        self.number(key, label, value as f64, 0)
    }

    /// Adds a figure, rounded to `digits` decimal places. NaN is shown as unknown.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        label: impl Into<String>,
        value: f64,
        digits: usize,
    ) -> &mut Self {
        let label = label.into();
        self.fields.push(Field {
            key,
            label,
            value,
            digits,
        });
        self
    }

    /// Adds all figures of another report.
    pub(crate) fn append(&mut self, other: Self) {
        self.fields.extend(other.fields);
    }

    /// Returns the known figures as a JSON object.
    pub(crate) fn to_json(&self) -> Value {
        let fields = self.fields.iter().filter(|field| field.value.is_finite());
        let object: Map<String, Value> = fields
            .map(|field| {
                let scale = 10f64.powi(field.digits as i32);
                let value = match field.digits {
                    0 => json!(field.value.round() as i64),
                    _ => json!((field.value * scale).round() / scale),
                };
                (field.key.to_owned(), value)
            })
            .collect();
        Value::Object(object)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.fields.iter().map(|field| field.label.chars().count());
        let width = width.max().unwrap_or(0);
        for Field {
            label,
            value,
            digits,
            ..
        } in &self.fields
        {
            let value = match value.is_finite() {
                true => with_commas(*value, *digits),
                false => "unknown".into(),
            };
            writeln!(f, "{label:width$}  {value:>14}")?;
        }
        Ok(())
    }
}

/// Formats a number with commas between groups of thousands.
pub(crate) fn with_commas(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_commas() {
        for (value, digits, text) in [
            (0.0, 0, "0"),
            (999.4, 0, "999"),
            (1234567.891, 2, "1,234,567.89"),
            (-1000.0, 0, "-1,000"),
        ] {
            assert_eq!(with_commas(value, digits), text);
        }
    }

    #[test]
    fn unknown_figures_are_in_the_table_but_not_in_the_json() {
        let mut report = Report::default();
        report
            .count("lost", "lost", 3)
            .number("cpu", "CPU", f64::NAN, 3)
            .number("p50", "p50", 1.26, 1);
        assert_eq!(report.to_json(), json!({"lost": 3, "p50": 1.3}));
        assert!(report.to_string().contains("unknown"));
    }
}
