//! Sets `ui_toolchain` if this is the compiler whose wording is in `ui/fail/**/*.stderr`.
//!
//! Each minor version of rustc words and draws some errors differently. libtest cannot skip a test
//! at run time, so the choice is made here: on another compiler `ui.rs` reports the test as
//! ignored. To move to a newer compiler, change this version and rewrite the files, as described
//! in `ui.rs`.

use std::env;
use std::process::Command;

const UI_TOOLCHAIN: &str = "rustc 1.95.";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(ui_toolchain)");
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC for build scripts");
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8_lossy(&output.stdout);
    if version.starts_with(UI_TOOLCHAIN) {
        println!("cargo::rustc-cfg=ui_toolchain");
    } else {
        let version = version.trim();
        println!(
            "cargo::warning=the compile-fail tests are ignored: they expect {UI_TOOLCHAIN}x, \
             not {version}"
        );
    }
}
