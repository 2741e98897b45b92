//! Parses the values that an attribute has as text: sizes, times, rates, origins and subprotocols.

use std::net::Ipv6Addr;
use std::time::Duration;

/// Parses a size such as `"64KiB"`, with binary or decimal units.
pub(crate) fn size(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KB" | "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

/// The reason why a text is not a valid time.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum TimeFault {
    NoUnit(u64),
    UnknownUnit {
        number: u64,
        unit: String,
    },
    Zero,
    TooLong,
    /// The text does not begin with a number.
    NoTime,
}

/// Parses a time such as `"30s"`. Zero is not valid.
pub(crate) fn duration(text: &str) -> Result<Duration, TimeFault> {
    let (number, unit) = number_and_unit(text).ok_or(TimeFault::NoTime)?;
    let milliseconds: u64 = match unit {
        "" => return Err(TimeFault::NoUnit(number)),
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => {
            let unit = unit.to_owned();
            return Err(TimeFault::UnknownUnit { number, unit });
        }
    };
    match number.checked_mul(milliseconds) {
        Some(0) => Err(TimeFault::Zero),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err(TimeFault::TooLong),
    }
}

/// Parses a rate such as `"50/s"` or `"20/10s"`.
pub(crate) fn rate(text: &str) -> Option<(u32, Duration)> {
    let (messages, period) = text.split_once('/')?;
    let messages = messages
        .trim()
        .parse()
        .ok()
        .filter(|&messages| messages > 0)?;
    let period = period.trim();
    let period = if period.starts_with(|c: char| c.is_ascii_digit()) {
        duration(period).ok()?
    } else {
        duration(&format!("1{period}")).ok()?
    };
    Some((messages, period))
}

/// Parses a rate such as `"512KiB/s"`, and returns the bytes per second.
pub(crate) fn byte_rate(text: &str) -> Option<usize> {
    let (bytes, period) = text.split_once('/')?;
    let bytes = size(bytes.trim()).filter(|&bytes| bytes > 0)?;
    (period.trim() == "s").then_some(bytes)
}

/// Checks an origin such as `"https://example.com"`: `null`, or a scheme, a host and optionally a
/// port.
///
/// The same rule as in harpia's `protocol/origin.rs`, which checks lists made at run time.
pub(crate) fn is_origin(text: &str) -> bool {
    if text == "null" {
        return true;
    }
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let (is_host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            let is_host_char = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            (!host.is_empty() && host.chars().all(is_host_char), port)
        }
    };
    let is_port = match port.strip_prefix(':') {
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    is_scheme(scheme) && is_host && is_port
}

/// Checks the scheme of a page. `ws` and `wss` are schemes of WebSocket URLs. A page never has
/// them.
fn is_scheme(text: &str) -> bool {
    let is_rest = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_socket = ["ws", "wss"].iter().any(|ws| ws.eq_ignore_ascii_case(text));
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_rest) && !is_socket
}

/// Checks the name of a subprotocol: a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Returns the number at the start of a text.
pub(crate) fn number(text: &str) -> Option<u64> {
    Some(number_and_unit(text)?.0)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number = number.replace('_', "").parse().ok()?;
    Some((number, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_know_binary_and_decimal_units() {
        assert_eq!(size("64KiB"), Some(65_536));
        assert_eq!(size("1 MB"), Some(1_000_000));
        assert_eq!(size("512"), Some(512));
        for wrong in ["", "KiB", "64kb", "1.5MiB", "-1", "99999999999GiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_need_a_unit_and_are_not_zero() {
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5"), Err(TimeFault::NoUnit(5)));
        assert_eq!(duration("0s"), Err(TimeFault::Zero));
        assert_eq!(duration("9999999999999999h"), Err(TimeFault::TooLong));
        for wrong in ["", "s"] {
            assert_eq!(duration(wrong), Err(TimeFault::NoTime), "{wrong}");
        }
        let days = TimeFault::UnknownUnit {
            number: 5,
            unit: "days".into(),
        };
        assert_eq!(duration("5 days"), Err(days));
    }

    #[test]
    fn rates_have_a_count_and_a_period() {
        assert_eq!(rate("50/s"), Some((50, Duration::from_secs(1))));
        assert_eq!(rate("20/10s"), Some((20, Duration::from_secs(10))));
        for wrong in ["50", "0/s", "/s", "50/", "50/x"] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }

    /// The same table as in harpia's protocol/origin.rs.
    const ORIGINS: [&str; 12] = [
        "null",
        "capacitor://localhost",
        "tauri://localhost",
        "chrome-extension://abcdefghijklmnop",
        "com.example+app-1://host:1",
        "https://example.com",
        "http://localhost:3000",
        "https://127.0.0.1",
        "https://[::1]",
        "https://[::1]:8443",
        "HTTPS://my_app",
        "https://xn--bcher-kva.example",
    ];

    /// The same table as in harpia's protocol/origin.rs.
    const NO_ORIGINS: [&str; 31] = [
        "",
        "Null",
        "1x://a",
        "x_y://a",
        "capacitor://",
        "wss://a",
        "*",
        "example.com",
        "//example.com",
        "https://",
        "https://:80",
        "https://a/",
        "https://a/b",
        "https://a?b",
        "https://a#b",
        "https://a:x",
        "https://a:",
        "https://a:+80",
        "https://a:65536",
        "https://a:1:2",
        "https://me@a",
        "https://*.example.com",
        "https://bücher.example",
        "https://::1",
        "https://[::1",
        "https://[]",
        "https://[a]",
        "https://[::1]a",
        "https://a[::1]",
        "ws://a",
        "https://a b",
    ];

    #[test]
    fn origins_have_no_path() {
        for right in ORIGINS {
            assert!(is_origin(right), "{right}");
        }
        for wrong in NO_ORIGINS {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
