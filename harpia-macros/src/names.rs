//! The names in generated code: absolute paths, and names that no user writes.

use syn::{Path, parse_quote};

/// Returns the path of harpia, which `crate = …` replaces.
pub(crate) fn default_crate() -> Path {
    parse_quote!(::harpia)
}

/// Names of handlers' arguments. They cannot name a path parameter.
pub(crate) const ARGUMENT_NAMES: [&str; 6] = ["ws", "message", "first", "code", "reason", "error"];

/// The name of the argument of `connect`. It cannot name a path parameter of a route with that
/// handler.
pub(crate) const REQUEST: &str = "request";
