//! The fuzz targets of harpia, as functions that panic if they find a mistake.
//!
//! The entry points in `harpia::fuzz` assert what harpia promises by itself. The modules of this
//! crate compare its results with those of other crates, and say where the two differ on purpose.

#[cfg(not(fuzzing))]
compile_error!("build with `--cfg fuzzing`: run cargo in harpia/fuzz, or cargo-fuzz anywhere");

mod cookies;
mod deflate;
mod frames;
mod handshake;
mod origins;

/// A fuzz target: it panics if an input reveals a mistake.
pub type Target = fn(&[u8]);

/// All targets with their names.
pub const TARGETS: [(&str, Target); 6] = [
    ("head", head),
    ("decoder", decoder),
    ("deflate", deflate),
    ("cookies", cookies),
    ("origins", origins),
    ("forwarded", forwarded),
];

/// Reads a request head and checks it as a handshake. Compared with tungstenite.
pub fn head(input: &[u8]) {
    if let Some(head) = harpia::fuzz::head(input) {
        handshake::compare(&head);
    }
}

/// Decodes a client's frames. Compared with tungstenite.
pub fn decoder(input: &[u8]) {
    frames::compare(&harpia::fuzz::decoder(input));
}

/// Decompresses and compresses messages. Compared with miniz_oxide.
pub fn deflate(input: &[u8]) {
    deflate::compare(&harpia::fuzz::deflate(input));
}

/// Parses cookies. Compared with the crate cookie.
pub fn cookies(input: &[u8]) {
    cookies::compare(input, &harpia::fuzz::cookies(input));
}

/// Decides which pages may connect. Compared with the crate url.
pub fn origins(input: &[u8]) {
    if let Some(decision) = harpia::fuzz::origins(input) {
        origins::compare(&decision);
    }
}

/// Finds the address of a client behind proxies.
pub fn forwarded(input: &[u8]) {
    harpia::fuzz::forwarded(input);
}
