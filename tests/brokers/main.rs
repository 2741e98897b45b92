//! Tests with a real Redis server. Each test starts its own on a free port.

mod sessions;
