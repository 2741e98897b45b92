//! What generated code may name besides the public items. Not an API.

pub use core;
pub use std;
