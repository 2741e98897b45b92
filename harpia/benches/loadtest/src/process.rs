//! Figures from the kernel about processes: CPU time, memory, open files.

use std::fs;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The process of the server under test, with all its descendants.
///
/// Without a process id, all figures are NaN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessTree(pub(crate) Option<u32>);

impl ProcessTree {
    /// Returns the user and system time of all threads so far, in seconds; in steps of 10 ms.
    pub(crate) fn cpu_seconds(self) -> f64 {
        self.sum(cpu_seconds)
    }

    /// Returns the resident memory (RSS), in bytes.
    pub(crate) fn resident(self) -> f64 {
        self.sum(|pid| bytes(pid, "status", "VmRSS:"))
    }

    /// Returns the peak of the resident memory, in bytes.
    pub(crate) fn peak(self) -> f64 {
        self.sum(|pid| bytes(pid, "status", "VmHWM:"))
    }

    /// Returns the proportional set size (PSS), in bytes.
    ///
    /// Each process counts its share of the memory that it shares with others.
    pub(crate) fn proportional(self) -> f64 {
        self.sum(|pid| bytes(pid, "smaps_rollup", "Pss:"))
    }

    fn sum(self, figure: impl Fn(u32) -> Option<f64>) -> f64 {
        let Some(pid) = self.0 else { return f64::NAN };
        let tree = with_descendants(pid).into_iter();
        tree.map(|pid| figure(pid).unwrap_or(f64::NAN)).sum()
    }
}

/// Returns the CPU time of this program, in seconds.
pub(crate) fn own_cpu_seconds() -> f64 {
    cpu_seconds(std::process::id()).unwrap_or(f64::NAN)
}

/// Returns the time that all cores together have been busy, in seconds.
pub(crate) fn machine_cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let words = text.lines().next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = words.skip(1).filter_map(|word| word.parse().ok()).collect();
    match ticks[..] {
        [user, nice, system, _idle, _waiting, hard, soft, ..] => {
            (user + nice + system + hard + soft) / clock_ticks_per_second() as f64
        }
        _ => f64::NAN,
    }
}

/// Raises the limit on open files for this process and its future children.
///
/// # Errors
///
/// If the limit stays below `wanted`. The message has the limit.
pub(crate) fn allow_open_files(wanted: u64) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < wanted {
        // Only a privileged process may raise the maximum.
        let raised = Rlimit {
            current: Some(wanted),
            maximum: Some(wanted),
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return Ok(());
        }
    }
    let current = Some(most.min(wanted.max(limit.current.unwrap_or(u64::MAX))));
    let raised = Rlimit {
        current,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) if most >= wanted => Ok(()),
        _ => Err(format!(
            "{wanted} open files are needed, but the limit is {most}: see ulimit -n"
        )),
    }
}

fn with_descendants(pid: u32) -> Vec<u32> {
    let mut tree = vec![pid];
    let mut next = 0;
    while let Some(pid) = tree.get(next) {
        let threads = fs::read_dir(format!("/proc/{pid}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            tree.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    tree
}

fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses. It may contain spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some((user + system) / clock_ticks_per_second() as f64)
}

fn bytes(pid: u32, file: &str, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let this = ProcessTree(Some(std::process::id()));
        assert!(this.cpu_seconds() >= 0.0);
        assert!(this.resident() > 100_000.0);
        assert!(this.peak() >= this.resident());
        assert!(this.proportional() > 0.0);
        assert!(machine_cpu_seconds() > 0.0);
    }

    #[test]
    fn figures_are_nan_without_a_process() {
        assert!(ProcessTree(None).resident().is_nan());
    }
}
