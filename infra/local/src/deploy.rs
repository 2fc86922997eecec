//! Deploys the repository's template to the emulator with `sam deploy`.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio};

use tokio::process::Command;

use crate::{
    emulator::Emulator,
    emulator_api::Api,
    error::LocalError,
    process::{self, ProcessGroup},
    tools::Tools,
};

/// Functions of the template; the binary of each is `rollcall-<name>`.
pub const FUNCTIONS: [&str; 5] = [
    "maintenance-job",
    "notifier",
    "oauth-callback",
    "profile-api",
    "refresh-job",
];

/// The task named in deployment errors.
const TASK: &str = "deploy";
/// The bucket for the packaged functions. `--resolve-s3` would first deploy another stack, which
/// takes seconds.
const ARTIFACTS: &str = "rollcall-artifacts";

/// The resources of a deployed stack that tests and the demo use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The `DynamoDB` table.
    pub table: String,
    /// The S3 bucket.
    pub bucket: String,
    /// URL of the queue of refresh-job.
    pub refresh_queue_url: String,
    /// URL of the queue of maintenance-job.
    pub maintenance_queue_url: String,
    /// URL of the queue of notifier.
    pub notice_queue_url: String,
    /// URL of the HTTP API on the emulator, without a trailing slash.
    pub api_url: String,
    /// Names of the deployed functions by short name, for example `refresh-job`.
    pub functions: BTreeMap<String, String>,
    /// All outputs of the stack, including those without a field, such as the dead-letter queues.
    pub outputs: BTreeMap<String, String>,
}

/// Deploys `template.yaml` of the repository at `root` as `stack`, or updates a deployed stack.
/// Takes about three seconds.
///
/// `binaries` is the folder with the five built functions. `parameters` are those of the template;
/// `Architecture` and `AwsEndpointUrl` are set here. The address in `SystemSender` is verified for
/// sending. The output of `sam` is written to `log`.
pub async fn deploy(
    tools: &Tools,
    emulator: &Emulator,
    root: &Path,
    binaries: &Path,
    parameters: &BTreeMap<String, String>,
    stack: &str,
    log: &Path,
) -> Result<Deployment, LocalError> {
    let staged = stage(root, binaries, &completed(parameters, emulator))?;
    let api = Api::of(emulator)?;
    api.create_bucket(ARTIFACTS).await?;
    if let Some(sender) = parameters.get("SystemSender") {
        api.verify_sender(sender).await?;
    }
    sam_deploy(tools, emulator, staged.path(), stack, log).await?;
    let outputs = api.stack_outputs(stack).await?;
    deployment(outputs, emulator.endpoint())
}

fn completed(
    parameters: &BTreeMap<String, String>,
    emulator: &Emulator,
) -> BTreeMap<String, String> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let mut all = BTreeMap::from([
        ("Architecture".to_owned(), architecture.to_owned()),
        ("AwsEndpointUrl".to_owned(), emulator.endpoint().to_owned()),
    ]);
    all.extend(parameters.clone());
    all
}

/// Creates a copy of the layout that the template expects after a release build, without touching
/// `target/lambda`.
fn stage(
    root: &Path,
    binaries: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<tempfile::TempDir, LocalError> {
    let parent = root.join(".rollcall");
    let staged = fs::create_dir_all(&parent)
        .and_then(|()| {
            tempfile::Builder::new()
                .prefix("deploy-")
                .tempdir_in(&parent)
        })
        .map_err(|source| LocalError::io(TASK, "no folder for staging", source))?;
    copy(
        &root.join("template.yaml"),
        &staged.path().join("template.yaml"),
    )?;
    for name in FUNCTIONS {
        let binary = format!("rollcall-{name}");
        let folder = staged.path().join("target/lambda").join(&binary);
        fs::create_dir_all(&folder)
            .map_err(|source| LocalError::io(TASK, "no folder for staging", source))?;
        copy(&binaries.join(&binary), &folder.join("bootstrap"))?;
    }
    // On the command line, values with spaces (schedules) would be cut off. JSON is valid YAML, and
    // `sam` accepts parameter files in YAML.
    let text = serde_json::to_string_pretty(parameters)
        .map_err(|error| LocalError::io(TASK, "the parameters are not valid JSON", error.into()))?;
    fs::write(staged.path().join("parameters.yaml"), text)
        .map_err(|source| LocalError::io(TASK, "the parameters cannot be written", source))?;
    Ok(staged)
}

fn copy(from: &Path, to: &Path) -> Result<(), LocalError> {
    match fs::copy(from, to) {
        Ok(_) => Ok(()),
        Err(source) => Err(LocalError::io(
            TASK,
            format!("{} cannot be read; is it built?", from.display()),
            source,
        )),
    }
}

async fn sam_deploy(
    tools: &Tools,
    emulator: &Emulator,
    staged: &Path,
    stack: &str,
    log: &Path,
) -> Result<(), LocalError> {
    let output = process::log_file(log).map_err(|source| {
        LocalError::io(TASK, format!("{} cannot be written", log.display()), source)
    })?;
    let mut child = Command::new(&tools.sam)
        .args(["deploy", "--stack-name", stack, "--s3-bucket", ARTIFACTS])
        .args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        .args(["--template-file", "template.yaml"])
        .args(["--parameter-overrides", "file://parameters.yaml"])
        .args(["--no-confirm-changeset", "--no-fail-on-empty-changeset"])
        .arg("--no-progressbar")
        .envs(sam_environment(emulator))
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .current_dir(staged)
        .stdin(Stdio::null())
        .stdout(output.stdout)
        .stderr(output.stderr)
        .process_group(0)
        .spawn()
        .map_err(|source| {
            LocalError::io(
                TASK,
                format!("{} cannot be run", tools.sam.display()),
                source,
            )
        })?;
    let group = ProcessGroup::of(child.id());
    let status = child.wait().await;
    group.ended();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(LocalError::Program {
            what: "sam deploy failed".to_owned(),
            log: log.to_owned(),
            tail: process::tail(log),
        }),
        Err(source) => Err(LocalError::io(TASK, "sam cannot be waited for", source)),
    }
}

/// Returns the environment for `sam`. It contains nothing of a real AWS account, because a
/// configured profile could otherwise cause a deployment there.
fn sam_environment(emulator: &Emulator) -> [(&'static str, &str); 9] {
    [
        ("AWS_ENDPOINT_URL", emulator.endpoint()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", emulator.region()),
        ("AWS_REGION", emulator.region()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_PROXY", "127.0.0.1"),
        ("SAM_CLI_TELEMETRY", "0"),
        // Seconds between checks of the change set. The default of 5 would be most of the
        // deployment time.
        ("SAM_CLI_POLL_DELAY", "0.2"),
    ]
}

fn deployment(outputs: BTreeMap<String, String>, endpoint: &str) -> Result<Deployment, LocalError> {
    let output = |key: &'static str| outputs.get(key).cloned().ok_or(LocalError::NoOutput(key));
    let functions = [
        ("maintenance-job", output("MaintenanceJobName")?),
        ("notifier", output("NotifierName")?),
        ("oauth-callback", output("OauthCallbackName")?),
        ("profile-api", output("ProfileApiName")?),
        ("refresh-job", output("RefreshJobName")?),
    ];
    Ok(Deployment {
        table: output("TableName")?,
        bucket: output("BucketName")?,
        refresh_queue_url: output("RefreshQueueUrl")?,
        maintenance_queue_url: output("MaintenanceQueueUrl")?,
        notice_queue_url: output("NoticeQueueUrl")?,
        api_url: format!("{endpoint}/_aws/execute-api/{}/$default", output("ApiId")?),
        functions: functions
            .map(|(name, deployed)| (name.to_owned(), deployed))
            .into(),
        outputs,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::Value;

    use super::*;
    use crate::emulator::EmulatorOptions;

    /// A function that returns its event and its environment.
    const ECHO: &str = r#"
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as given:
        event, request = json.load(given), given.headers["Lambda-Runtime-Aws-Request-Id"]
    body = json.dumps({"event": event, "environment": dict(os.environ)})
    answer = json.dumps({"statusCode": 200, "body": body}).encode()
    urllib.request.urlopen(api + request + "/response", answer).close()
"#;

    fn write_binaries(folder: &Path, python: &Path) {
        for name in FUNCTIONS {
            let path = folder.join(format!("rollcall-{name}"));
            fs::write(&path, format!("#!{}\n{ECHO}", python.display())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn parameters() -> BTreeMap<String, String> {
        [
            ("FrontendUrl", "http://127.0.0.1:3000"),
            ("SystemSender", "rollcall@example.org"),
            ("ClientId", "11111111-2222-3333-4444-555555555555"),
            ("ApiAudience", "api://rollcall"),
            ("Learn365Url", "http://127.0.0.1:1/learn365"),
            ("RefreshSchedule", "cron(0 2 * * ? *)"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    async fn ask(deployment: &Deployment, path: &str) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{path}", deployment.api_url);
        let response = http.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    async fn check_the_api(deployment: &Deployment, endpoint: &str) {
        assert_eq!(deployment.functions["refresh-job"], "rollcall-refresh-job");
        let answer = ask(deployment, "/v1/tenant?a=b").await;
        assert_eq!(answer["event"]["rawPath"], "/v1/tenant");
        let environment = &answer["environment"];
        assert_eq!(
            environment["AWS_LAMBDA_FUNCTION_NAME"],
            "rollcall-profile-api"
        );
        assert_eq!(environment["ROLLCALL_TABLE"], *deployment.table);
        assert_eq!(
            environment["ROLLCALL_NOTICE_QUEUE_URL"],
            *deployment.notice_queue_url
        );
        assert_eq!(environment["ROLLCALL_PUBLIC_URL"], *deployment.api_url);
        assert_eq!(
            environment["ROLLCALL_LEARN365_URL"],
            "http://127.0.0.1:1/learn365"
        );
        assert_eq!(
            environment["ROLLCALL_GRAPH_URL"],
            Value::Null,
            "an empty value was not omitted"
        );
        assert_eq!(environment["AWS_ENDPOINT_URL"], *endpoint);
        let answer = ask(deployment, "/oauth/callback").await;
        let name = &answer["environment"]["AWS_LAMBDA_FUNCTION_NAME"];
        assert_eq!(name, "rollcall-oauth-callback");
    }

    #[tokio::test]
    async fn the_template_deploys_and_its_api_reaches_the_functions() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let tools = crate::tools::ensure(&root, &|_| ()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_binaries(folder.path(), &tools.python);
        let options = EmulatorOptions {
            state: None,
            region: "eu-west-1".to_owned(),
            log: folder.path().join("emulator.log"),
            port: None,
        };
        let emulator = Emulator::start(&tools, options).await.unwrap();
        let (parameters, log) = (parameters(), folder.path().join("sam.log"));
        let again = async || {
            let (at, with) = (folder.path(), &parameters);
            deploy(&tools, &emulator, &root, at, with, "rollcall", &log).await
        };
        let deployment = again().await.unwrap();
        assert_eq!(
            again().await.unwrap(),
            deployment,
            "a second deployment changed something"
        );

        check_the_api(&deployment, emulator.endpoint()).await;

        let wrong = BTreeMap::from([("Cloud".to_owned(), "moon".to_owned())]);
        let error = deploy(
            &tools,
            &emulator,
            &root,
            folder.path(),
            &wrong,
            "other",
            &log,
        )
        .await
        .unwrap_err();
        assert!(matches!(error, LocalError::Program { .. }), "{error}");
        emulator.stop().await.unwrap();
    }

    #[test]
    fn a_binary_that_is_not_built_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("template.yaml"), "").unwrap();
        let error = stage(root.path(), Path::new("/none"), &BTreeMap::new()).unwrap_err();
        let text = error.to_string();
        assert_eq!(
            text,
            "cannot deploy: /none/rollcall-maintenance-job cannot be read; is it built?"
        );
    }

    #[test]
    fn an_output_the_template_lost_is_named() {
        let error = deployment(BTreeMap::new(), "http://127.0.0.1:1").unwrap_err();
        assert!(error.to_string().contains("MaintenanceJobName"), "{error}");
    }
}
