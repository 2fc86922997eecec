//! The third-party servers and the checker as programs that receive and return lines of JSON.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rollcall_local::stack::root;
use rollcall_local::tools::{self, ScimTools};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::deployed::quiet;

/// Maximum time to wait, sufficient for Python on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// The token of all servers.
pub(super) const TOKEN: &str = "a-token-of-the-test";

/// A third-party server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Foreign {
    /// `scim2-server`, Python.
    Scim2,
    /// `scimmy` with `scimmy-routers` on Express, JavaScript.
    Scimmy,
}

/// A running program. It ends when its standard input is closed, so also with this process, and is
/// killed when this value is dropped, so also in a panic.
pub(super) struct Program {
    pub(super) said: Value,
    _stdin: ChildStdin,
    _child: Child,
}

impl Program {
    async fn start(mut command: Command, line: &Value) -> Self {
        let started = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut child = started.expect("program not started");
        let mut stdin = child.stdin.take().expect("no input pipe");
        let output = child.stdout.take().expect("no output pipe");
        let sent = stdin.write_all(format!("{line}\n").as_bytes()).await;
        sent.expect("the program does not read");
        let mut answers = BufReader::new(output).lines();
        let answer = tokio::time::timeout(PATIENCE, answers.next_line()).await;
        let answer = answer.unwrap_or_else(|_| panic!("no response from {command:?}"));
        let answer = answer
            .expect("output not read")
            .expect("the program has ended");
        // A full output pipe would block the program.
        tokio::spawn(async move { while let Ok(Some(_)) = answers.next_line().await {} });
        Self {
            said: serde_json::from_str(&answer).expect("invalid JSON"),
            _stdin: stdin,
            _child: child,
        }
    }
}

async fn installed() -> ScimTools {
    let root = root().expect("the repository was not found");
    let tools = tools::ensure_scim(&root, &quiet).await;
    tools.expect("not installed")
}

fn script(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scim_foreign");
    folder.join(name)
}

impl Foreign {
    /// Starts a server without users; returns its address and the program.
    pub(super) async fn start(self) -> (String, Program) {
        let tools = installed().await;
        let command = match self {
            Self::Scim2 => python(&tools, "scim2-host.py"),
            Self::Scimmy => {
                let mut command = Command::new("node");
                command.arg(script("scimmy-host.mjs")).arg(tools.modules);
                command
            }
        };
        let program = Program::start(command, &json!({ "token": TOKEN })).await;
        let address = program.said["address"].as_str().expect("not a string");
        (address.to_owned(), program)
    }
}

fn python(tools: &ScimTools, name: &str) -> Command {
    let mut command = Command::new(&tools.python);
    command.arg(script(name));
    command
}

/// Returns the results of `scim2-tester` for a service.
pub(super) async fn checked(address: &str, token: &str) -> Vec<Value> {
    let command = python(&installed().await, "check.py");
    let asked = json!({ "address": address, "token": token });
    let program = Program::start(command, &asked).await;
    let results = program.said.as_array().expect("not a list of results");
    results.clone()
}
