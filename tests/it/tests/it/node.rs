//! A Node.js program that receives and returns lines of JSON.

use std::process::Stdio;
use std::time::Duration;

use rollcall_local::tools::NodeProgram;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Maximum time to wait for a response, longer than the program's own time limits.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running program; it ends when its standard input is closed, so also with this process.
pub(crate) struct Node {
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Node {
    /// Starts the program.
    pub(crate) fn start(program: &NodeProgram) -> Self {
        let mut child = Command::new("node")
            .arg(&program.script)
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node not started");
        Self {
            stdin: child.stdin.take().expect("no input pipe"),
            answers: BufReader::new(child.stdout.take().expect("no output pipe")).lines(),
            _child: child,
        }
    }

    /// Sends a line and waits for the response.
    pub(crate) async fn ask(&mut self, line: &Value) -> Value {
        let text = format!("{line}\n");
        let sent = self.stdin.write_all(text.as_bytes()).await;
        sent.expect("the program does not read");
        let answer = tokio::time::timeout(PATIENCE, self.answers.next_line()).await;
        let answer = answer.unwrap_or_else(|_| panic!("no response to {line}"));
        let answer = answer
            .expect("output not read")
            .expect("the program has ended");
        serde_json::from_str(&answer).expect("invalid JSON")
    }
}
