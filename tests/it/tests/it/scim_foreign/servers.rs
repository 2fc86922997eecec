//! The foreign servers and the foreign checker as programs: a line of JSON in, a line out.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rollcall_local::stack::root;
use rollcall_local::tools::{self, ScimTools};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::deployed::quiet;

/// Python takes its time on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// What all servers take.
pub(super) const TOKEN: &str = "a-token-of-the-test";

/// Which server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Foreign {
    /// `scim2-server`, Python.
    Scim2,
    /// `scimmy` with `scimmy-routers` on Express, JavaScript.
    Scimmy,
}

/// A running program. It ends when its standard input does, so with this process,
/// and is killed when this is dropped, so in a panic, too.
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
        let mut child = started.expect("the program starts");
        let mut stdin = child.stdin.take().expect("its input");
        let output = child.stdout.take().expect("its output");
        let sent = stdin.write_all(format!("{line}\n").as_bytes()).await;
        sent.expect("the program listens");
        let mut answers = BufReader::new(output).lines();
        let answer = tokio::time::timeout(PATIENCE, answers.next_line()).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer from {command:?}"));
        let answer = answer.expect("readable").expect("the program still runs");
        // What it prints later must not stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = answers.next_line().await {} });
        Self {
            said: serde_json::from_str(&answer).expect("invalid JSON"),
            _stdin: stdin,
            _child: child,
        }
    }
}

async fn installed() -> ScimTools {
    let root = root().expect("the repository");
    let tools = tools::ensure_scim(&root, &quiet).await;
    tools.expect("installed")
}

fn script(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scim_foreign");
    folder.join(name)
}

impl Foreign {
    /// Starts one with nobody in it; its address, and what keeps it running.
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

/// What `scim2-tester` says of a service, check by check.
pub(super) async fn checked(address: &str, token: &str) -> Vec<Value> {
    let command = python(&installed().await, "check.py");
    let asked = json!({ "address": address, "token": token });
    let program = Program::start(command, &asked).await;
    let results = program.said.as_array().expect("a list of results");
    results.clone()
}
