//! Replays the seeds and the regressions.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use harpia_fuzz::{TARGETS, Target};

/// Returns the files of a folder, which may be missing.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Returns those of the files on which a target panics.
fn failures(target: Target, files: &[PathBuf]) -> Vec<&Path> {
    let fails = |file: &&PathBuf| {
        let input = fs::read(file).expect("a file");
        catch_unwind(|| target(&input)).is_err()
    };
    files.iter().filter(fails).map(PathBuf::as_path).collect()
}

#[test]
fn no_seed_and_no_regression_reveals_a_mistake() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, target) in TARGETS {
        let seeds = files(&root.join("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let regressions = files(&root.join("regressions").join(name));
        let inputs = [seeds, regressions].concat();
        assert_eq!(failures(target, &inputs), Vec::<&Path>::new());
    }
}

#[test]
fn each_target_is_a_program_for_cargo_fuzz() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = TARGETS
        .map(|(name, _)| root.join(format!("fuzz_targets/{name}.rs")))
        .into();
    names.sort();
    assert_eq!(files(&root.join("fuzz_targets")), names);
}
