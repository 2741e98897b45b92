//! Pages in headless Chromium, against programs as they are run.
//!
//! With `SCREENSHOTS=folder` the tests leave pictures of the pages there, to be looked at.

mod chat;
mod driver;
mod origins;
mod profile;
mod tokens;

/// A phone, and a window of a laptop.
const NARROW: (u32, u32) = (390, 800);
const WIDE: (u32, u32) = (1100, 720);
