//! What generated code calls things: absolute paths, and names that no user writes.

use syn::{Path, parse_quote};

/// Where harpia is, unless `crate = …` says otherwise.
pub(crate) fn default_crate() -> Path {
    parse_quote!(::harpia)
}

/// Names that mean something as arguments, and so cannot name a path parameter.
pub(crate) const ARGUMENT_NAMES: [&str; 6] = ["ws", "message", "first", "code", "reason", "error"];
