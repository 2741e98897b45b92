//! Guides: one page for each thing that most programs need. Their programs run as tests.

#[doc = include_str!("../guide/snapshot-then-updates.md")]
pub mod snapshot_then_updates {}

#[doc = include_str!("../guide/who-is-here.md")]
pub mod who_is_here {}
