//! Path patterns, and the values of their parameters.
//!
//! This module has the syntax of patterns, a comparison of two patterns that also runs in a
//! `const`, and the values of a match. The matching itself is matchit's (`server::router`). No I/O.

mod pattern;
mod values;

pub(crate) use pattern::{Pattern, canonical, first_parameter};
pub use pattern::{has_parameter, same_shape};
pub use values::PathValues;
pub(crate) use values::decode;
