//! The AWS emulator as a child process that always ends with this process.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub use crate::emulator_options::EmulatorOptions;
use crate::emulator_options::TASK;
use crate::error::LocalError;
use crate::{port, process, tools::Tools};

/// Maximum start time. Usually it is ready after half a second, but not on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// Maximum time to stop. The supervisor kills all processes five seconds after the request.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);
/// Number of attempts, because another process may bind a free port before the emulator does.
const PORT_ATTEMPTS: usize = 5;

/// A running emulator. It ends, with all Lambda processes, when this value is dropped or this
/// process ends, even by SIGKILL.
#[derive(Debug)]
pub struct Emulator {
    supervisor: Child,
    endpoint: String,
    region: String,
    log: PathBuf,
}

impl Emulator {
    /// Starts an emulator and waits until it is ready.
    pub async fn start(tools: &Tools, options: EmulatorOptions) -> Result<Self, LocalError> {
        if let Some(port) = port::fixed(&options)? {
            if !port::is_free(port) {
                return Err(LocalError::PortInUse { port });
            }
            return Self::start_at(tools, &options, port).await;
        }
        let mut attempts = PORT_ATTEMPTS;
        loop {
            let port = port::free()?;
            attempts -= 1;
            match Self::start_at(tools, &options, port).await {
                Err(LocalError::Program { tail, .. })
                    if attempts > 0 && tail.contains("already in use") => {}
                result => return result,
            }
        }
    }

    async fn start_at(
        tools: &Tools,
        options: &EmulatorOptions,
        port: u16,
    ) -> Result<Self, LocalError> {
        let mut emulator = Self {
            supervisor: spawn(tools, options, port)?,
            endpoint: format!("http://127.0.0.1:{port}"),
            region: options.region.clone(),
            log: options.log.clone(),
        };
        emulator.wait_until_ready().await?;
        if let Some(state) = &options.state {
            port::remember(state, port)?;
        }
        Ok(emulator)
    }

    /// Returns the value for `AWS_ENDPOINT_URL`, `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the emulator's region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the file with the output of the emulator and the Lambda functions.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Stops the emulator, which then writes its state, and every Lambda process.
    pub async fn stop(mut self) -> Result<(), LocalError> {
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + STOPPED_WITHIN;
        while self.is_running() {
            if Instant::now() > deadline {
                return Err(self.failed("did not stop"));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> Result<(), LocalError> {
        // Requests to the loopback interface must not use a configured proxy.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()
            .map_err(|error| LocalError::io(TASK, "no HTTP client", io::Error::other(error)))?;
        let health = format!("{}/_ministack/health", self.endpoint);
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if !self.is_running() {
                return Err(self.failed("ended while starting"));
            }
            if let Ok(response) = http.get(&health).send().await
                && response.status().is_success()
            {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(self.failed("does not answer"))
    }

    fn is_running(&mut self) -> bool {
        matches!(self.supervisor.try_wait(), Ok(None))
    }

    fn failed(&self, what: &'static str) -> LocalError {
        LocalError::Program {
            what: format!("the AWS emulator {what}"),
            log: self.log.clone(),
            tail: process::tail(&self.log),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + STOPPED_WITHIN;
        while self.is_running() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
    }
}

fn spawn(tools: &Tools, options: &EmulatorOptions, port: u16) -> Result<Child, LocalError> {
    let output = process::log_file(&options.log).map_err(|source| {
        LocalError::io(
            TASK,
            format!("{} cannot be written", options.log.display()),
            source,
        )
    })?;
    let folder = options.log.parent().unwrap_or(Path::new("."));
    // The supervisor removes the folder, also if this process was killed.
    let temporary = tempfile::Builder::new()
        .prefix("emulator-")
        .tempdir_in(folder)
        .and_then(|folder| folder.path().canonicalize().map(|path| (folder, path)));
    let (guard, temporary) = temporary
        .map_err(|source| LocalError::io(TASK, "no folder for temporary files", source))?;
    let mut command = Command::new(&tools.python);
    command
        .arg(&tools.supervisor)
        .env_clear()
        .envs(environment(options, port, &temporary)?)
        .current_dir(&temporary)
        .stdin(Stdio::piped())
        .stdout(output.stdout)
        .stderr(output.stderr)
        // Only this process handles Ctrl-C; the supervisor then stops the emulator.
        .process_group(0);
    let child = command.spawn().map_err(|source| {
        LocalError::io(
            TASK,
            format!("{} cannot be run", tools.python.display()),
            source,
        )
    })?;
    let _ = guard.keep();
    Ok(child)
}

/// Returns the complete environment of the emulator. The Lambda functions inherit it, including the
/// emulator's address.
fn environment(
    options: &EmulatorOptions,
    port: u16,
    temporary: &Path,
) -> Result<Vec<(&'static str, String)>, LocalError> {
    let temporary = temporary.display().to_string();
    let mut variables = vec![
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("HOME", temporary.clone()),
        ("TMPDIR", temporary),
        ("PYTHONUNBUFFERED", "1".to_owned()),
        ("BIND_HOST", "127.0.0.1".to_owned()),
        ("MINISTACK_HOST", "127.0.0.1".to_owned()),
        ("GATEWAY_PORT", port.to_string()),
        ("MINISTACK_REGION", options.region.clone()),
        // Disables listeners on fixed ports, which would conflict with a second emulator.
        ("IOT_MTLS_ENABLED", "0".to_owned()),
        ("SFTP_ENABLED", "0".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    if let Some(state) = &options.state {
        let objects = state.join("objects");
        let absolute = fs::create_dir_all(&objects).and_then(|()| state.canonicalize());
        let state = absolute
            .map_err(|source| LocalError::io(TASK, "the state folder cannot be created", source))?;
        variables.extend([
            ("PERSIST_STATE", "1".to_owned()),
            ("STATE_DIR", state.join("services").display().to_string()),
            ("S3_PERSIST", "1".to_owned()),
            ("S3_DATA_DIR", state.join("objects").display().to_string()),
        ]);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tools() -> Tools {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        crate::tools::ensure(&root, &|_| ()).await.unwrap()
    }

    fn options(folder: &Path, state: Option<PathBuf>) -> EmulatorOptions {
        EmulatorOptions {
            state,
            region: "eu-west-1".to_owned(),
            log: folder.join("emulator.log"),
            port: None,
        }
    }

    async fn bucket(method: reqwest::Method, endpoint: &str) -> Option<u16> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.request(method, format!("{endpoint}/kept"));
        Some(request.send().await.ok()?.status().as_u16())
    }

    #[tokio::test]
    async fn dropping_it_leaves_neither_process_nor_temporary_files() {
        let folder = tempfile::tempdir().unwrap();
        let emulator = Emulator::start(&tools().await, options(folder.path(), None))
            .await
            .unwrap();
        let endpoint = emulator.endpoint().to_owned();
        assert_eq!(bucket(reqwest::Method::PUT, &endpoint).await, Some(200));
        drop(emulator);
        assert_eq!(bucket(reqwest::Method::HEAD, &endpoint).await, None);
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["emulator.log"]);
    }

    #[tokio::test]
    async fn state_outlives_a_stop_and_keeps_its_port() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), Some(folder.path().join("state")));
        let tools = tools().await;
        let first = Emulator::start(&tools, options.clone()).await.unwrap();
        let endpoint = first.endpoint().to_owned();
        assert_eq!(bucket(reqwest::Method::PUT, &endpoint).await, Some(200));
        let error = Emulator::start(&tools, options.clone()).await.unwrap_err();
        assert!(matches!(error, LocalError::PortInUse { .. }), "{error}");
        first.stop().await.unwrap();

        let second = Emulator::start(&tools, options).await.unwrap();
        assert_eq!(second.endpoint(), endpoint);
        assert_eq!(bucket(reqwest::Method::HEAD, &endpoint).await, Some(200));
        second.stop().await.unwrap();
    }

    #[tokio::test]
    async fn an_emulator_that_cannot_start_says_what_it_printed() {
        let folder = tempfile::tempdir().unwrap();
        let mut tools = tools().await;
        tools.supervisor = folder.path().join("missing.py");
        let error = Emulator::start(&tools, options(folder.path(), None))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("missing.py"), "{error}");
    }
}
