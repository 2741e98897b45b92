//! The client programs beside this file: how each is built and run.

use std::process::{Command, ExitStatus, Stdio};

use harpia_tests::within;

/// The folder for what compilers write.
const BUILT: &str = env!("CARGO_TARGET_TMPDIR");

/// A client program that is ready to run.
pub(crate) struct Program {
    /// The program and its arguments before the URL.
    words: Vec<String>,
    /// Variables that are added to its environment.
    variables: Vec<(&'static str, &'static str)>,
}

impl Program {
    /// A program that an interpreter runs as it is.
    pub(crate) fn interpreted(interpreter: &str, file: &str) -> Self {
        Self::new(&[interpreter, &source(file)])
    }

    /// A program that a compiler makes.
    ///
    /// `compiler` gets the path of the source and that of the program which it must write.
    ///
    /// # Panics
    ///
    /// If the compiler is missing or fails.
    pub(crate) fn compiled(file: &str, compiler: impl FnOnce(&str, &str) -> Command) -> Self {
        let program = format!("{BUILT}/{}", file.replace('.', "-"));
        compile(compiler(&source(file), &program));
        Self::new(&[&program])
    }

    /// A program in Java, with a class path.
    ///
    /// # Panics
    ///
    /// If the compiler is missing or fails.
    pub(crate) fn java(file: &str, class: &str, libraries: &str) -> Self {
        let mut compiler = Command::new("javac");
        compiler.args(["-encoding", "UTF-8", "-cp", libraries, "-d", BUILT]);
        compiler.arg(source(file));
        compile(compiler);
        Self::new(&["java", "-cp", &format!("{BUILT}:{libraries}"), class])
    }

    fn new(words: &[&str]) -> Self {
        Self {
            words: words.iter().copied().map(str::to_owned).collect(),
            variables: Vec::new(),
        }
    }

    /// Adds a variable to the program's environment.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Runs the program; returns what it has printed.
    ///
    /// # Panics
    ///
    /// If it fails, or runs longer than 20 seconds. Then it is killed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> String {
        let (program, first) = self.words.split_first().expect("a program");
        let mut command = tokio::process::Command::new(program);
        command.args(first).args(arguments).stdin(Stdio::null());
        command.envs(self.variables.iter().copied());
        let output = within(command.kill_on_drop(true).output()).await;
        let output = output.unwrap_or_else(|error| panic!("no {program} ({error}): run tests/run"));
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{printed}{errors}");
        printed
    }
}

/// Returns the path of a file beside this one.
fn source(file: &str) -> String {
    format!("{}/clients/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn compile(mut compiler: Command) {
    let status = compiler.status();
    assert!(
        status.as_ref().is_ok_and(ExitStatus::success),
        "{compiler:?} does not compile ({status:?}): run tests/run"
    );
}
