//! Fuzzes `harpia_fuzz::head`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| harpia_fuzz::head(input));
