//! How many connections fit into the process's limit on open files.

use crate::limits::{MAX_CONNECTIONS, RESERVED_FILES};

/// Returns how many connections a server may have. `wanted` is what the program has set.
///
/// Raises the process's limit on open files to its hard limit, because the soft limit is often only
/// 1,024, for old programs that use `select`. Without this limit, the server would accept clients
/// until it could open no file any more, not even for its log.
pub(super) fn max_connections(wanted: Option<usize>) -> usize {
    let Ok(files) = rlimit::increase_nofile_limit(u64::MAX) else {
        return wanted.unwrap_or(MAX_CONNECTIONS);
    };
    let room = room(usize::try_from(files).unwrap_or(usize::MAX));
    if let Some(wanted) = wanted.filter(|wanted| *wanted > room) {
        tracing::warn!(
            "`max_connections` is {wanted}, but this process can open only {files} files: {room} \
             connections are served at once; raise the limit on open files (`LimitNOFILE` in \
             systemd, `ulimit -Hn` in a shell)"
        );
    }
    wanted.unwrap_or(MAX_CONNECTIONS).min(room)
}

/// Returns how many connections fit into this number of open files.
fn room(files: usize) -> usize {
    let reserve = RESERVED_FILES.min(files / 4);
    (files - reserve).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_reserved_and_at_least_one_connection_fits() {
        assert_eq!(room(100_000), 100_000 - RESERVED_FILES);
        assert_eq!(room(400), 300);
        assert_eq!(room(0), 1);
    }

    #[test]
    fn a_limit_that_fits_is_kept() {
        assert_eq!(max_connections(Some(10)), 10);
        assert!(max_connections(None) <= MAX_CONNECTIONS);
    }
}
