//! The command line of the local stack: `demo`, `up`, `down`, `describe`.

// The SDK's futures exceed the compiler's default nesting limit.
#![recursion_limit = "256"]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rollcall_local::demo::demo;
use rollcall_local::demo_options::DemoOptions;
use rollcall_local::describe::describe_file;
use rollcall_local::error::Error;
use rollcall_local::landing::Landing;
use rollcall_local::playground::set_up_playground;
use rollcall_local::stack::{FRONTEND, Stack, StackOptions, root};
use rollcall_local::summary::Summary;

/// Runs Rollcall on this machine: the functions are deployed with sam to a local AWS emulator;
/// Entra, Microsoft Graph and Learn365 are simulated.
#[derive(Parser)]
#[command(name = "rollcall")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs refresh and maintenance for a realistic tenant and prints a summary.
    Demo {
        /// Number of users in the generated tenant.
        #[arg(long, default_value_t = 1_000, conflicts_with = "data")]
        users: usize,
        /// Number of profiles; those after the first seven combine departments and cities.
        #[arg(long, default_value_t = 7, conflicts_with = "data")]
        profiles: usize,
        /// A folder of CSV exports to use instead of the generated tenant (see infra/local/sample).
        #[arg(long)]
        data: Option<PathBuf>,
        /// Prints the summary as one JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Starts the stack, including schedules, and runs it until Ctrl-C.
    Up {
        /// Number of users in the simulated tenant.
        #[arg(long, default_value_t = 1_000)]
        users: usize,
        /// Leaves the tenant's directory to be connected manually, as for versions from 3.74.
        #[arg(long)]
        connect: bool,
    },
    /// Deletes all data of the demo.
    Down,
    /// Describes the content of a snapshot file.
    Describe {
        /// The file; by default the newest one that a demo created.
        file: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ends_by_signal = matches!(arguments.command, Command::Up { .. });
    let ended = tokio::select! {
        ended = command(arguments.command) => ended,
        () = asked_to_stop() => {
            forget_visitor();
            eprintln!("rollcall: stopped; nothing is left running");
            return if ends_by_signal { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rollcall: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

/// Deletes the files that `up` wrote for the user, which are useless after it ends.
fn forget_visitor() {
    if let Ok(root) = root() {
        let _gone = std::fs::remove_dir_all(root.join(".rollcall/try"));
    }
}

/// Acquires the lock that admits one command at a time, because they share ports, state and logs.
fn alone(home: &Path) -> Result<std::fs::File, Error> {
    std::fs::create_dir_all(home)?;
    let lock = std::fs::File::create(home.join("rollcall.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(
            "another rollcall command is running in this folder; wait until it ends, or stop it"
                .into(),
        ),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

async fn command(command: Command) -> Result<(), Error> {
    let root = root()?;
    let home = root.join(".rollcall");
    // Reading a file needs no lock.
    let _alone = match command {
        Command::Describe { .. } => None,
        _ => Some(alone(&home)?),
    };
    let progress = |text: &str| eprintln!("{text}");
    match command {
        Command::Demo {
            users,
            profiles,
            data,
            json,
        } => {
            let data = data
                .map(|folder| {
                    folder
                        .canonicalize()
                        .map_err(|error| format!("{}: {error}", folder.display()))
                })
                .transpose()?;
            let options = DemoOptions {
                users,
                profiles,
                data,
                home: home.clone(),
            };
            let summary = demo(&options, &stack_options(root, &home, false)?, &progress).await?;
            if json {
                println!("{}", serde_json::to_string(&summary)?);
            } else {
                println!("{summary}");
                how_to_continue(&home, &options.members(), &summary);
            }
        }
        Command::Up { users, connect } => {
            let options = stack_options(root, &home, true)?;
            up(&options, &home, users, connect, &progress).await?;
        }
        Command::Down => down(&home)?,
        Command::Describe { file } => describe(file, &home)?,
    }
    Ok(())
}

fn describe(file: Option<PathBuf>, home: &Path) -> Result<(), Error> {
    let (file, description) = describe_file(file, home)?;
    println!("{}\n\n{description}", file.display());
    if description.wrong().next().is_some() {
        return Err("the snapshot cannot be used".into());
    }
    Ok(())
}

fn stack_options(root: PathBuf, home: &Path, schedules: bool) -> Result<StackOptions, Error> {
    let binaries = std::env::current_exe()?
        .parent()
        .ok_or("the program has no folder")?
        .to_path_buf();
    Ok(StackOptions {
        root,
        binaries,
        state: None,
        logs: home.join("logs"),
        schedules,
        // The lock of an interrupted demo then expires soon.
        parameters: [("LeaseSeconds".to_owned(), "10".to_owned())].into(),
    })
}

fn how_to_continue(home: &Path, members: &Path, summary: &Summary) {
    println!("{}", going_on(home, members, summary));
}

/// Returns the text after the summary of a demo.
fn going_on(home: &Path, members: &Path, summary: &Summary) -> String {
    let (seconds, memory) = (&summary.seconds, &summary.memory_mib);
    let timing: Vec<_> = seconds
        .iter()
        .map(|(stage, value)| format!("{stage} {value:.1} s"))
        .collect();
    let peaks: Vec<_> = memory
        .iter()
        .map(|(function, mib)| format!("{function} {mib} MiB"))
        .collect();
    [
        format!("Time: {}", timing.join(", ")),
        format!("Peak memory: {}", peaks.join(", ")),
        format!("\nMember lists (Excel): {}", members.display()),
        format!(
            "Logs of emulator and functions: {}",
            home.join("logs").display()
        ),
        "\nNext steps:".to_owned(),
        "  ./infra/local/rollcall demo                  runs it again, which changes nothing"
            .to_owned(),
        "  ./infra/local/rollcall demo --data FOLDER    imports your own CSV exports (see infra/local/sample)"
            .to_owned(),
        "  ./infra/local/rollcall up                    runs the stack with its schedules, until Ctrl-C"
            .to_owned(),
        "  ./infra/local/rollcall down                  deletes all data of the demo".to_owned(),
    ]
    .join("\n")
}

async fn up(
    options: &StackOptions,
    home: &Path,
    users: usize,
    connect: bool,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    let (_, port) = FRONTEND.rsplit_once(':').ok_or("no port")?;
    // The port may be in use by a console under development.
    let landing = Landing::start(port.parse()?).await.ok();
    let stack = Stack::up(options, progress).await?;
    let playground = set_up_playground(&stack, home, users, connect).await?;
    let console = match &landing {
        Some(_) => "a page that shows the result of a sign-in",
        None => "the program that already uses this port",
    };
    println!("API        {}", stack.deployment.api_url);
    println!("Console    {FRONTEND}  ({console})");
    println!(
        "AWS        {}  (region eu-west-1, any key)",
        stack.emulator.endpoint()
    );
    println!("Simulators {}", stack.simulators.origin());
    println!("\n{}\n", playground.how_to());
    println!("Running. Press Ctrl-C to stop everything and delete its data.");
    std::future::pending::<()>().await;
    stack.down().await
}

fn down(home: &Path) -> Result<(), Error> {
    for folder in ["state", "members", "logs", "try"] {
        match std::fs::remove_dir_all(home.join(folder)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    for folder in std::fs::read_dir(home)?.flatten() {
        // The rest of a killed deployment.
        if folder.file_name().to_string_lossy().starts_with("deploy-") {
            std::fs::remove_dir_all(folder.path())?;
        }
    }
    println!("Deleted the demo's tenants, files and logs. The installed tools stay in .rollcall/.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use rollcall_domain::membership::report::MaintenanceReport;

    /// The output of `--help` and `-h`, for the program and each command.
    #[test]
    fn the_usage() {
        let mut command = Arguments::command();
        command.build();
        let mut output = vec![
            command.render_long_help().to_string(),
            command.render_help().to_string(),
        ];
        for part in command.get_subcommands_mut() {
            output.push(part.render_long_help().to_string());
            output.push(part.render_help().to_string());
        }
        insta::assert_snapshot!(output.join("\n##########\n"));
    }

    #[test]
    fn arguments_that_are_none() {
        let refused = [
            &["rollcall", "dance"][..],
            &["rollcall", "demo", "--users", "many"],
            &["rollcall", "demo", "--users", "5", "--data", "folder"],
            &["rollcall", "demo", "--colour"],
        ];
        let output = refused.map(|arguments| {
            let parsed = Arguments::try_parse_from(arguments);
            parsed.err().expect("was accepted").to_string()
        });
        insta::assert_snapshot!(output.join("\n##########\n"));
    }

    #[test]
    fn what_follows_a_demo() {
        let mut summary = Summary::of("Contoso", &MaintenanceReport::default());
        summary.seconds = [
            ("maintenance".to_owned(), 2.04),
            ("refresh".to_owned(), 1.25),
        ]
        .into();
        summary.memory_mib = [("refresh-job".to_owned(), 64)].into();
        let output = going_on(
            Path::new("/home/.rollcall"),
            Path::new("/members"),
            &summary,
        );
        insta::assert_snapshot!(output);
    }
}
