//! Tests of the examples' pages in headless Chromium.
//!
//! If the environment has `SCREENSHOTS=folder`, the tests save pictures of the pages there.

mod chat;
mod closing;
mod driver;
mod edge;
mod origins;
mod profile;
mod tokens;

/// The screen of a phone, in CSS pixels.
const NARROW: (u32, u32) = (390, 800);
/// A window on a laptop, in CSS pixels.
const WIDE: (u32, u32) = (1100, 720);
