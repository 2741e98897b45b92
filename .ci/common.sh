# What the jobs share; each sources this file first. A job that cannot run on this machine exits
# with status 77, which .ci/run reports as skipped, and which fails in .github/workflows/ci.yml.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Prints the reason and ends the job as skipped.
skip() {
    printf 'skipped: %s\n' "$*" >&2
    exit 77
}

# Prints the folder for tools that the jobs install; it is in the build folder.
tools() {
    cargo metadata --no-deps --format-version 1 --locked |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"] + "/tools")'
}

# Prints the path of cargo-deny, and builds it first if this version is not installed.
cargo_deny() {
    local version=0.20.2 tools
    tools=$(tools)
    if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
        echo "building cargo-deny $version: this takes minutes, once per build folder" >&2
        # A debug build: it compiles faster, and the checks take seconds either way.
        CARGO_PROFILE_DEV_DEBUG=0 cargo install "cargo-deny@$version" --locked --debug \
            --root "$tools" --target-dir "$tools/build" >&2 ||
            skip "cargo-deny $version could not be installed from crates.io"
        rm -rf "$tools/build"
    fi
    printf '%s\n' "$tools/bin/cargo-deny"
}
