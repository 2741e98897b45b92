//! Compares the table of limits in the guide with the limits.

use super::*;
use crate::close::MAX_REASON;

/// Returns the first and the third column of the guide's table: each limit and its default.
fn rows_of_the_guide() -> Vec<(String, String)> {
    let guide = include_str!("../../guide/limits.md");
    let (_, table) = guide.split_once("# All limits").expect("the heading");
    let lines = table.lines().skip_while(|line| !line.starts_with("|---"));
    let lines = lines.skip(1).take_while(|line| line.starts_with('|'));
    lines.map(columns).collect()
}

fn columns(line: &str) -> (String, String) {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    // A name may be a link to the method that sets it.
    let name = cells[1].split("](").next().unwrap_or_default();
    let name = name.trim_start_matches('[');
    (name.to_owned(), cells[3].to_owned())
}

fn rows_of_the_code() -> Vec<(String, String)> {
    let route = Limits::default();
    let rate = route.rate.expect("a default rate");
    assert_eq!(rate.period, Duration::from_secs(1));
    let rows = [
        (
            "`max_message`",
            format!(
                "{} of payload, after decompression",
                size(route.max_message)
            ),
        ),
        (
            "`rate`",
            format!(
                "{0} messages per second, in bursts of up to {0}",
                rate.messages
            ),
        ),
        (
            "`byte_rate`",
            byte_rate(route.byte_rate.expect("a default")),
        ),
        (
            "`publish_rate`",
            byte_rate(route.publish_rate.expect("a default")),
        ),
        (
            "pause after one message of `max_message` bytes, because of a byte rate",
            time(LONG_PAUSE),
        ),
        (
            "`max_topics`",
            format!("{} topics of one connection", count(route.max_topics)),
        ),
        (
            "`max_topic_len`",
            format!("{} in the name of a topic", size(route.max_topic_len)),
        ),
        (
            "`idle_timeout`",
            format!(
                "{} in which the client neither sends nor reads a byte",
                optional(route.idle_timeout)
            ),
        ),
        (
            "`ping`",
            format!(
                "a ping after {} without a byte from the client",
                optional(route.ping)
            ),
        ),
        (
            "`write_timeout`",
            format!(
                "{} in which a client reads nothing of what waits for it",
                optional(route.write_timeout)
            ),
        ),
        (
            "`message_timeout`",
            format!(
                "{} from the first byte of a message to its last",
                optional(route.message_timeout)
            ),
        ),
        ("a message without a further byte", time(MESSAGE_STALL)),
        ("`handler_timeout`", optional(route.handler_timeout)),
        (
            "`backlog`",
            format!("{} waiting for one client", size(route.backlog)),
        ),
        ("`slow`", format!("`{:?}`", route.slow).to_lowercase()),
        (
            "`auth_timeout`",
            format!(
                "{} for the first message and `auth` together",
                time(route.auth_timeout)
            ),
        ),
        (
            "`compression`",
            route.compression.map_or("off".to_owned(), size),
        ),
        (
            "`max_connections`",
            format!(
                "{} TCP connections, or as many as fit: all but {RESERVED_FILES} of the open files",
                count(MAX_CONNECTIONS)
            ),
        ),
        ("`max_connections_per_address`", "off".to_owned()),
        (
            "clients without a whole request head",
            format!("a tenth of `max_connections`, at least {MIN_SILENT}"),
        ),
        (
            "clients that are told at the same time that the server is full",
            count(MAX_REFUSALS),
        ),
        (
            "connections that wait to be accepted",
            count(LISTEN_BACKLOG.unsigned_abs() as usize),
        ),
        (
            "`shutdown_timeout`",
            format!(
                "{}, then {} for `close` handlers and {} for the last writes",
                time(SHUTDOWN_TIMEOUT),
                time(SHUTDOWN_GRACE),
                time(SHUTDOWN_GRACE)
            ),
        ),
        (
            "`handshake_timeout`",
            format!(
                "{} for the request head, `connect` or `FromHandshake`, and the 101 together",
                time(HANDSHAKE_TIMEOUT)
            ),
        ),
        (
            "request head",
            format!("{}, {MAX_HEADERS} headers", size(MAX_HEAD)),
        ),
        ("fields of a PROXY header", size(MAX_PROXY_HEADER)),
        (
            "bytes that a client sends before it has the 101",
            size(MAX_EARLY_BYTES),
        ),
        (
            "fallback: a response or a request body without progress",
            time(HTTP_PROGRESS),
        ),
        (
            "reading after a last HTTP response",
            format!("{}, {}", time(LINGER), size(MAX_LINGER_BYTES)),
        ),
        (
            "first message, with `auth`",
            format!("{}, or `max_message` if less", size(MAX_FIRST_MESSAGE)),
        ),
        ("token", size(MAX_TOKEN)),
        (
            "`leeway`",
            format!("{} seconds; at most {}", LEEWAY.as_secs(), time(MAX_LEEWAY)),
        ),
        ("close reason", format!("{MAX_REASON} bytes")),
        (
            "`input_budget`",
            format!(
                "{} of partly received messages of all clients together",
                size(INPUT_BUDGET)
            ),
        ),
        (
            "partly received messages of all clients that have not passed `auth`",
            format!(
                "{}, a quarter of `input_budget`",
                size(INPUT_BUDGET / UNAUTHENTICATED_SHARE)
            ),
        ),
        (
            "`backlog_budget`",
            format!(
                "{} for the backlogs of all clients together",
                size(OUTBOX_BUDGET)
            ),
        ),
        (
            "a message that waits",
            format!("counts at least {}", size(MIN_MESSAGE_COST)),
        ),
        (
            "write buffer of each TLS connection, and of each stream of a custom `Listener` that is not a socket",
            size(WRITE_BUFFER),
        ),
        ("messages that wait for delivery", size(LOG_CAPACITY)),
        ("closing", format!("{} without progress", time(CLOSE_STALL))),
        ("waiting for the client's close frame", time(CLOSE_TIMEOUT)),
        (
            "waiting for the client to close its TCP side, after both close frames",
            time(PEER_END_TIMEOUT),
        ),
        (
            "input that is discarded while a connection closes",
            size(usize::try_from(MAX_CLOSE_INPUT).expect("it fits")),
        ),
        ("delay of the `close` handler", time(CLOSE_HANDLER_DELAY)),
        (
            "`open` after a close was requested",
            time(OPEN_CLOSE_TIMEOUT),
        ),
        (
            "login form",
            format!("{}, {}", size(MAX_LOGIN), time(LOGIN_TIMEOUT)),
        ),
        (
            "`ttl`",
            format!(
                "{} since the last use; at most {}",
                time(SESSION_TTL),
                time(MAX_SESSION_TTL)
            ),
        ),
        (
            "`max_age`",
            format!("{} since the login", time(SESSION_MAX_AGE)),
        ),
        (
            "sessions in memory",
            format!("{} and {}", count(MAX_SESSIONS), size(MAX_SESSION_BYTES)),
        ),
        ("tries to change a session", count(MAX_SESSION_TRIES)),
        (
            "`timeout`",
            format!("{} for an operation", time(REDIS_TIMEOUT)),
        ),
        (
            "log lines of one kind",
            format!("{LOG_LINES_PER_SECOND} per second"),
        ),
    ];
    rows.map(|(name, default)| (name.to_owned(), default))
        .to_vec()
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1024 / 1024),
    }
}

fn byte_rate(bytes: usize) -> String {
    let (rate, burst) = (size(bytes), size(2 * bytes));
    format!("{rate} per second, in bursts of up to {burst}")
}

fn time(time: Duration) -> String {
    let (amount, unit) = match time.as_secs() {
        seconds @ 0..60 => (seconds, "second"),
        seconds @ 60..3_600 => (seconds / 60, "minute"),
        seconds @ 3_600..172_800 => (seconds / 3_600, "hour"),
        seconds => (seconds / 86_400, "day"),
    };
    let plural = if amount == 1 { "" } else { "s" };
    format!("{amount} {unit}{plural}")
}

fn optional(limit: Option<Duration>) -> String {
    limit.map_or("off".to_owned(), time)
}

/// Writes a number with a comma before each group of three digits.
fn count(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", count(number / 1_000), number % 1_000),
    }
}

#[test]
fn the_guide_lists_each_limit_with_its_default() {
    let (guide, code) = (rows_of_the_guide(), rows_of_the_code());
    for row in &code {
        assert!(guide.contains(row), "the guide has no row {row:?}");
    }
    for row in &guide {
        assert!(code.contains(row), "no limit in the code is {row:?}");
    }
}

#[test]
fn each_constant_of_the_table_is_compared_with_the_guide() {
    let own = include_str!("tests.rs");
    let constants = include_str!("../limits.rs").lines().filter_map(|line| {
        let declaration = line.strip_prefix("pub(crate) const ")?;
        declaration.split(':').next()
    });
    let missing: Vec<_> = constants.filter(|name| !own.contains(*name)).collect();
    assert_eq!(missing, [""; 0]);
}
