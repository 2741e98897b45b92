//! Path patterns and the values of their parameters: pure, no I/O.
//!
//! matchit does the matching (`server::router`); this is the syntax, the comparison of two
//! patterns that also runs in a `const`, and what a match yields.

mod pattern;
mod values;

pub(crate) use pattern::{Pattern, canonical, first_parameter};
pub use pattern::{has_parameter, same_shape};
pub use values::PathValues;
pub(crate) use values::decode;
