//! The client programs beside this file: how each is built and run.

use std::process::Stdio;

use harpia_tests::within;

/// A client program that is ready to run.
pub(crate) struct Program {
    /// The program and its arguments before the URL.
    words: Vec<String>,
    /// Variables of its environment.
    variables: Vec<(&'static str, String)>,
}

impl Program {
    /// A program that an interpreter runs as it is.
    pub(crate) fn script(interpreter: &str, file: &str) -> Self {
        Self {
            words: vec![interpreter.to_owned(), source(file)],
            variables: Vec::new(),
        }
    }

    /// Runs the program; returns what it has printed.
    ///
    /// # Panics
    ///
    /// If it fails, or runs longer than 20 seconds. It is killed then.
    pub(crate) async fn run(&self, arguments: &[&str]) -> String {
        let (program, first) = self.words.split_first().expect("a program");
        let mut command = tokio::process::Command::new(program);
        command.args(first).args(arguments).stdin(Stdio::null());
        command.envs(self.variables.iter().cloned());
        let output = within(command.kill_on_drop(true).output()).await;
        let output = output.unwrap_or_else(|error| panic!("no {program} ({error}): tests/run"));
        let errors = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{printed}\n{errors}");
        printed
    }
}

/// Returns the path of a file beside this one.
fn source(file: &str) -> String {
    format!("{}/clients/{file}", env!("CARGO_MANIFEST_DIR"))
}
