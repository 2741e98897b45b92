//! Fuzzes `harpia_fuzz::decoder`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| harpia_fuzz::decoder(input));
