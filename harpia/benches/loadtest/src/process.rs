//! What the kernel knows of processes: their time, their memory, their open files.

use std::fs;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The server under test: its process and all that descend from it. Without a process, all figures
/// are NaN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server(pub(crate) Option<u32>);

impl Server {
    /// Returns the user and system seconds so far, of all threads; in steps of 10 ms.
    pub(crate) fn cpu_seconds(self) -> f64 {
        self.sum(cpu_seconds)
    }

    /// Returns the bytes of memory that are resident.
    pub(crate) fn resident(self) -> f64 {
        self.sum(|pid| bytes(pid, "status", "VmRSS:"))
    }

    /// Returns the most bytes that were ever resident.
    pub(crate) fn peak(self) -> f64 {
        self.sum(|pid| bytes(pid, "status", "VmHWM:"))
    }

    /// Returns the resident bytes, where what several processes share counts as parts.
    pub(crate) fn proportional(self) -> f64 {
        self.sum(|pid| bytes(pid, "smaps_rollup", "Pss:"))
    }

    fn sum(self, figure: impl Fn(u32) -> Option<f64>) -> f64 {
        let Some(pid) = self.0 else { return f64::NAN };
        let family = family_of(pid).into_iter();
        family.map(|pid| figure(pid).unwrap_or(f64::NAN)).sum()
    }
}

/// Returns the seconds that this program has used.
pub(crate) fn own_cpu_seconds() -> f64 {
    cpu_seconds(std::process::id()).unwrap_or(f64::NAN)
}

/// Returns the seconds that all cores have been busy, with whatever.
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

/// Raises the limit of open files for this process and its children, as far as it goes.
///
/// # Errors
///
/// If fewer files may be open than wanted; tells how many.
pub(crate) fn allow_open_files(wanted: u64) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < wanted {
        // Only a privileged process may.
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
            "needs {wanted} open files and may have {most}: see ulimit -n"
        )),
    }
}

fn family_of(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        let threads = fs::read_dir(format!("/proc/{pid}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    family
}

fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, which may hold anything.
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
    fn this_process_has_used_time_and_memory() {
        let this = Server(Some(std::process::id()));
        assert!(this.cpu_seconds() >= 0.0);
        assert!(this.resident() > 100_000.0);
        assert!(this.peak() >= this.resident());
        assert!(this.proportional() > 0.0);
        assert!(machine_cpu_seconds() > 0.0);
    }

    #[test]
    fn without_a_process_there_are_no_figures() {
        assert!(Server(None).resident().is_nan());
    }
}
