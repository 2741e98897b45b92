//! Describes the machine of the measurements, without anything that identifies it.

use std::fs;
use std::thread;

/// Returns one fact per line of the page.
pub(super) fn facts() -> Vec<String> {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let mut facts = vec![format!(
        "{cores} cores, shared by the server and the load generator"
    )];
    if let Some(model) = field("/proc/cpuinfo", "model name") {
        facts.push(format!("processor: {model}"));
    }
    if let Some(memory) = memory_gibibytes() {
        facts.push(format!("memory: {memory:.0} GiB"));
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The part after the version number may name the machine, so it is left out.
    if let Some(number) = kernel
        .trim()
        .split('-')
        .next()
        .filter(|number| !number.is_empty())
    {
        facts.push(format!("Linux {number}"));
    }
    facts
}

fn memory_gibibytes() -> Option<f64> {
    let text = field("/proc/meminfo", "MemTotal")?;
    let kibibytes: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes / 1048576.0)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
