//! A program for Node.js that takes a line of JSON and answers with one.

use std::process::Stdio;
use std::time::Duration;

use rollcall_local::tools::NodeProgram;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than anything it waits for itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running program; it ends when its standard input does, so with this process.
pub(crate) struct Node {
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Node {
    /// Starts it.
    pub(crate) fn start(program: &NodeProgram) -> Self {
        let mut child = Command::new("node")
            .arg(&program.script)
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        Self {
            stdin: child.stdin.take().expect("its input"),
            answers: BufReader::new(child.stdout.take().expect("its output")).lines(),
            _child: child,
        }
    }

    /// Sends a line and waits for the answer.
    pub(crate) async fn ask(&mut self, line: &Value) -> Value {
        let text = format!("{line}\n");
        let sent = self.stdin.write_all(text.as_bytes()).await;
        sent.expect("the program listens");
        let answer = tokio::time::timeout(PATIENCE, self.answers.next_line()).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {line}"));
        let answer = answer.expect("readable").expect("the program still runs");
        serde_json::from_str(&answer).expect("invalid JSON")
    }
}
