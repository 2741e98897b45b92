//! The errors about the attribute's options.

use proc_macro2::Ident;

use crate::diagnostics::Problem;
use crate::value::{TimeFault, is_origin, is_token};

pub(in crate::lower) fn unknown_option(key: &str, near: Option<&str>, known: &[&str]) -> Problem {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the options are `{}`", known.join("`, `")),
    };
    Problem::new(format!("unknown option `{key}`"), help)
}

pub(in crate::lower) fn duplicate_option(key: &Ident) -> Problem {
    Problem::new(
        format!("option `{key}` is given twice"),
        format!("remove this `{key}`"),
    )
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

pub(in crate::lower) fn one_of(key: &str, words: &[&str], near: Option<&str>) -> Problem {
    let help = match near {
        Some(near) => format!("did you mean `{key} = {near}`?"),
        None => {
            let values = words.iter().map(|word| format!("{key} = {word}"));
            format!("write {}", either(&values.collect::<Vec<_>>()))
        }
    };
    Problem::new(format!("`{key}` takes {}", either(words)), help)
}

/// Formats as `a`, `b` or `c`.
fn either(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The help uses the user's number, if there is one.
pub(in crate::lower) fn size(key: &str, number: Option<u64>) -> Problem {
    let number = number.unwrap_or(64);
    Problem::new(
        format!("`{key}` takes a size"),
        format!(
            "write `{key} = \"{number}KiB\"`: the units are `B`, `KB`, `MB`, `GB`, `KiB`, `MiB` \
             and `GiB`"
        ),
    )
}

/// The help uses the user's number, if there is one that fits.
pub(in crate::lower) fn count(key: &str, number: Option<u64>) -> Problem {
    let number = number.filter(|number| u32::try_from(*number).is_ok());
    let number = number.unwrap_or(1024);
    Problem::new(
        format!("`{key}` takes a number"),
        format!("write `{key} = {number}`"),
    )
}

pub(in crate::lower) fn compression() -> Problem {
    Problem::new(
        "`compression` takes `on`, `off`, or the size of the smallest message that is compressed",
        "write `compression = on`, or `compression = \"4KiB\"`",
    )
}

pub(in crate::lower) fn duration(key: &str, fault: &TimeFault) -> Problem {
    const UNITS: &str = "the units are `ms`, `s`, `m` (or `min`) and `h`";
    // `auth_timeout` cannot be switched off: a silent client would keep its connection forever.
    let without = match key {
        "auth_timeout" => "remove it for the default of 5 seconds".to_owned(),
        _ => format!("write `{key} = off` to switch it off"),
    };
    match fault {
        TimeFault::NoUnit(number) => Problem::new(
            format!("`{key}` has a number but no unit"),
            format!("write `{key} = \"{number}s\"`: {UNITS}"),
        ),
        TimeFault::UnknownUnit { number, unit } => {
            let help = match meant(unit) {
                Some(known) => format!("write `{key} = \"{number}{known}\"`: {UNITS}"),
                None => format!("write `{key} = \"{number}s\"`: {UNITS}"),
            };
            Problem::new(format!("`{key}` has the unknown unit `{unit}`"), help)
        }
        TimeFault::Zero => Problem::new(format!("`{key}` cannot be zero"), without),
        TimeFault::TooLong => Problem::new(format!("`{key}` cannot be this long"), without),
        TimeFault::NoTime => Problem::new(
            format!("`{key}` takes a time"),
            format!("write `{key} = \"30s\"`: {UNITS}; or {without}"),
        ),
    }
}

/// Returns the unit that the user probably meant.
fn meant(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => Some("ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => Some("s"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("h"),
        _ => None,
    }
}

/// The help uses the user's number, if there is one.
pub(in crate::lower) fn rate(number: Option<u64>) -> Problem {
    let number = number.filter(|number| *number > 0).unwrap_or(50);
    Problem::new(
        "`rate` takes a number of messages per time",
        format!("write `rate = \"{number}/s\"`, `rate = \"{number}/10s\"` or `rate = off`"),
    )
}

/// The help uses the user's number, if there is one.
pub(in crate::lower) fn byte_rate(key: &str, number: Option<u64>) -> Problem {
    let number = number.filter(|number| *number > 0).unwrap_or(512);
    Problem::new(
        format!("`{key}` takes a size per second"),
        format!("write `{key} = \"{number}KiB/s\"` or `{key} = off`"),
    )
}

/// The help uses the user's origin, if there is one.
pub(in crate::lower) fn origins(origin: Option<&str>) -> Problem {
    let origin = origin.unwrap_or("https://example.com");
    Problem::new(
        "`origins` takes a list of origins, or `any`",
        format!("write `origins = [\"{origin}\"]`"),
    )
}

pub(in crate::lower) fn origin(text: &str) -> Problem {
    const PARTS: &str = "an origin has a scheme, a host and maybe a port, and nothing more";
    let without_path = text.split_once("://").map(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        format!("{scheme}://{}", &rest[..end])
    });
    let help = match without_path.filter(|text| is_origin(text)) {
        Some(origin) => format!("write `\"{origin}\"`: {PARTS}"),
        None => format!("{PARTS}, as in `\"https://example.com\"`"),
    };
    Problem::new(format!("`{text}` is not an origin"), help)
}

pub(in crate::lower) fn protocols() -> Problem {
    Problem::new(
        "`protocols` takes a list of names",
        "write `protocols = [\"chat.v1\"]`",
    )
}

pub(in crate::lower) fn protocol(text: &str) -> Problem {
    let mend = |c: char| match is_token(c.encode_utf8(&mut [0; 4])) {
        true => c,
        false => '-',
    };
    let mended: String = text.trim().chars().map(mend).collect();
    let help = match is_token(&mended) {
        true => format!("write `\"{mended}\"`: a name has letters, digits, `.`, `-` and `_`"),
        false => "a name has letters, digits, `.`, `-` and `_`, as in `\"chat.v1\"`".to_owned(),
    };
    Problem::new(format!("`{text}` is not a subprotocol name"), help)
}

pub(in crate::lower) fn protocol_twice(text: &str) -> Problem {
    Problem::new(
        format!("subprotocol `{text}` is given twice"),
        format!("remove one `\"{text}\"`"),
    )
}
