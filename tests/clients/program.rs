//! The client programs beside this file: how each is built and run.

use std::process::{Command, ExitStatus, Stdio};

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

    /// A program that a compiler has made.
    ///
    /// `compiler` gets the path of the source and that of the program, which it must write.
    ///
    /// # Panics
    ///
    /// If the compiler is missing or fails.
    pub(crate) fn compiled(file: &str, compiler: impl FnOnce(&str, &str) -> Command) -> Self {
        let program = format!("{}/{}", env!("CARGO_TARGET_TMPDIR"), file.replace('.', "-"));
        let mut command = compiler(&source(file), &program);
        let built = command.status();
        assert!(
            built.as_ref().is_ok_and(ExitStatus::success),
            "{file} does not compile ({built:?}): tests/run installs what it needs"
        );
        Self {
            words: vec![program],
            variables: Vec::new(),
        }
    }

    /// Adds a variable to the program's environment.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
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
