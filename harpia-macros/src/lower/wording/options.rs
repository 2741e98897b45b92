//! What is said of the attribute's options.

use proc_macro2::Ident;

use crate::diagnostics::Problem;
use crate::lower::options::KEYS;
use crate::value::TimeFault;

pub(in crate::lower) fn unknown_option(key: &str, near: Option<&str>) -> Problem {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the options are `{}`", KEYS.join("`, `")),
    };
    Problem::new(format!("unknown option `{key}`"), help)
}

pub(in crate::lower) fn duplicate_option(key: &Ident) -> Problem {
    Problem::new(format!("option `{key}` is given twice"), "remove one")
}

pub(in crate::lower) fn data_is_string(text: &str) -> Problem {
    Problem::new(
        "`data` takes a type, not a string",
        format!("write `data = {text}`"),
    )
}

pub(in crate::lower) fn data_is_no_type() -> Problem {
    Problem::new("`data` takes a type", "write `data = ChatData`")
}

pub(in crate::lower) fn crate_is_no_path() -> Problem {
    Problem::new("`crate` takes a path", "write `crate = my_crate::harpia`")
}

pub(in crate::lower) fn one_of(key: &str, words: &[&str]) -> Problem {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("`{key} = {word}`"))
        .collect();
    Problem::new(
        format!("`{key}` does not take this value"),
        format!("write {}", words.join(" or ")),
    )
}

pub(in crate::lower) fn size(key: &str) -> Problem {
    Problem::new(
        format!("`{key}` takes a size"),
        format!("write it with a unit, as in `{key} = \"64KiB\"` (B, KB, MB, GB, KiB, MiB, GiB)"),
    )
}

pub(in crate::lower) fn compression() -> Problem {
    Problem::new(
        "`compression` takes `on`, `off`, or the size from which on it pays",
        "write `compression = on`, or `compression = \"4KiB\"`",
    )
}

pub(in crate::lower) fn duration(key: &str, fault: &TimeFault) -> Problem {
    const UNITS: &str = "the units are `ms`, `s`, `m` or `min`, `h`";
    // Nobody may wait for ever to say who they are.
    let without = match key {
        "auth_timeout" => "remove it: then it is 5 seconds".to_owned(),
        _ => format!("`{key} = off` to do without"),
    };
    match fault {
        TimeFault::NoUnit(number) => Problem::new(
            format!("`{key}` has a number but no unit"),
            format!("write `{key} = \"{number}s\"`: {UNITS}"),
        ),
        TimeFault::UnknownUnit { number, unit } => {
            let help = match meant(unit) {
                Some(known) => format!("write `{key} = \"{number}{known}\"`: {UNITS}"),
                None => format!("{UNITS}, as in `{key} = \"30s\"`"),
            };
            Problem::new(format!("`{key}` does not know the unit `{unit}`"), help)
        }
        TimeFault::Zero => Problem::new(format!("`{key}` cannot be zero"), without),
        TimeFault::TooLong => {
            Problem::new(format!("`{key}` does not hold a time this long"), without)
        }
        TimeFault::NoTime => Problem::new(
            format!("`{key}` takes a time"),
            format!("write `{key} = \"30s\"` ({UNITS}), or {without}"),
        ),
    }
}

/// The unit that goes by another name here.
fn meant(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => Some("ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => Some("s"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("h"),
        _ => None,
    }
}

pub(in crate::lower) fn rate() -> Problem {
    Problem::new(
        "`rate` takes messages in a time",
        "write `rate = \"50/s\"`, `rate = \"20/10s\"` or `rate = off`",
    )
}

pub(in crate::lower) fn origins() -> Problem {
    Problem::new(
        "`origins` takes a list of origins",
        "write `origins = [\"https://example.com\"]`, or `origins = any`",
    )
}

pub(in crate::lower) fn origin(text: &str) -> Problem {
    Problem::new(
        format!("`{text}` is not an origin"),
        "an origin is scheme, host and maybe a port: `\"https://example.com\"`",
    )
}

pub(in crate::lower) fn protocols() -> Problem {
    Problem::new(
        "`protocols` takes a list of names",
        "write `protocols = [\"chat.v1\"]`",
    )
}

pub(in crate::lower) fn protocol(text: &str) -> Problem {
    Problem::new(
        format!("`{text}` is not a subprotocol name"),
        "a name has letters, digits and `.-_`, as in `\"chat.v1\"`",
    )
}

pub(in crate::lower) fn protocol_twice(text: &str) -> Problem {
    Problem::new(format!("subprotocol `{text}` is given twice"), "remove one")
}
