//! The complete service on this machine: emulator, simulated world, deployed functions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollcall_app::Services;
use rollcall_clients::aws;
use rollcall_runtime::Settings;
use rollcall_simulators::Simulators;

use crate::deploy::{self, Deployment};
use crate::emulator::{Emulator, EmulatorOptions};
use crate::error::Error;
use crate::{service_app, tools};

/// The emulator's region.
pub const REGION: &str = "eu-west-1";
/// The deployed stack's name, which is the prefix of its secrets.
pub const STACK: &str = "rollcall";
/// Sender of system mail.
pub const SENDER: &str = "rollcall@rollcall.example";

/// The template's parameter for the origin of the console.
pub const FRONTEND_URL: &str = "FrontendUrl";
/// The default origin of the console.
pub const FRONTEND: &str = "http://127.0.0.1:5173";

/// The audience of tokens for the deployed API.
pub const AUDIENCE: &str = "api://rollcall";

/// The options of a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The repository.
    pub root: PathBuf,
    /// The folder with the five built functions.
    pub binaries: PathBuf,
    /// Folder that stores the emulator's state; `None` stores nothing.
    pub state: Option<PathBuf>,
    /// The folder for logs.
    pub logs: PathBuf,
    /// True if EventBridge's schedules fire.
    pub schedules: bool,
    /// Template parameters that differ from the defaults of the local stack.
    pub parameters: BTreeMap<String, String>,
}

/// A running stack. Dropping it ends every process that it started.
pub struct Stack {
    /// The emulator.
    pub emulator: Emulator,
    /// The simulated Entra, Graph and Learn365.
    pub simulators: Simulators,
    /// The deployed resources.
    pub deployment: Deployment,
    /// Clients of the deployed resources, the same as in the functions.
    pub services: Services,
}

impl Stack {
    /// Installs missing tools, starts everything and deploys.
    ///
    /// # Errors
    /// The first failure, as a message.
    pub async fn up(
        options: &StackOptions,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, Error> {
        let tools = tools::ensure(&options.root, progress).await?;
        std::fs::create_dir_all(&options.logs)?;
        let simulators = Simulators::start(0).await?;
        progress("Starting the AWS emulator");
        let emulator = Emulator::start(
            &tools,
            EmulatorOptions {
                state: options.state.clone(),
                region: REGION.to_owned(),
                log: options.logs.join("emulator.log"),
                port: None,
            },
        )
        .await?;
        progress("Deploying with sam deploy");
        let mut parameters = parameters(&simulators, options.schedules);
        parameters.extend(options.parameters.clone());
        let log = options.logs.join("deploy.log");
        let deployment = deploy::deploy(
            &tools,
            &emulator,
            &options.root,
            &options.binaries,
            &parameters,
            STACK,
            &log,
        )
        .await?;
        let aws = aws::emulator(emulator.endpoint(), REGION).await;
        let services = Services::new(settings(&deployment, &parameters)?, &aws)?;
        let client_id = parameters.get("ClientId").map_or("", String::as_str);
        let api_url = &deployment.api_url;
        service_app::register(&simulators, &services.vault, client_id, api_url).await?;
        Ok(Self {
            emulator,
            simulators,
            deployment,
            services,
        })
    }

    /// Stops everything; the emulator writes its state first.
    ///
    /// # Errors
    /// If the emulator did not stop in time; it is then killed.
    pub async fn down(self) -> Result<(), Error> {
        self.simulators.stop().await;
        Ok(self.emulator.stop().await?)
    }
}

fn parameters(simulators: &Simulators, schedules: bool) -> BTreeMap<String, String> {
    [
        ("EntraAuthorityUrl", simulators.entra_url()),
        ("GraphUrl", simulators.graph_url()),
        ("Learn365Url", simulators.learn365_url()),
        (FRONTEND_URL, FRONTEND.to_owned()),
        ("SystemSender", SENDER.to_owned()),
        ("ClientId", service_app::CLIENT_ID.to_owned()),
        ("ApiAudience", AUDIENCE.to_owned()),
        ("AcsUrl", simulators.acs_url()),
        ("AcsSender", service_app::ACS_SENDER.to_owned()),
        ("ScimHosts", "127.0.0.1".to_owned()),
        ("SchedulesEnabled", schedules.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Parameters of the template that are passed unchanged to the functions, and the variables' names.
const PASSED_ON: [(&str, &str); 10] = [
    ("ROLLCALL_ENTRA_AUTHORITY_URL", "EntraAuthorityUrl"),
    ("ROLLCALL_GRAPH_URL", "GraphUrl"),
    ("ROLLCALL_LEARN365_URL", "Learn365Url"),
    ("ROLLCALL_SYSTEM_SENDER", "SystemSender"),
    ("ROLLCALL_API_AUDIENCE", "ApiAudience"),
    ("ROLLCALL_FRONTEND_URL", FRONTEND_URL),
    ("ROLLCALL_CLIENT_ID", "ClientId"),
    ("ROLLCALL_ACS_URL", "AcsUrl"),
    ("ROLLCALL_ACS_SENDER", "AcsSender"),
    ("ROLLCALL_SCIM_HOSTS", "ScimHosts"),
];

/// Returns the settings of the deployed functions, for a client outside; `parameters` are those of
/// the deployment.
///
/// # Errors
/// If outputs of the deployment are missing; all are listed.
pub fn settings(
    deployment: &Deployment,
    parameters: &BTreeMap<String, String>,
) -> Result<Settings, Error> {
    let made = [
        ("ROLLCALL_TABLE", &deployment.table),
        ("ROLLCALL_BUCKET", &deployment.bucket),
        ("ROLLCALL_REFRESH_QUEUE_URL", &deployment.refresh_queue_url),
        (
            "ROLLCALL_MAINTENANCE_QUEUE_URL",
            &deployment.maintenance_queue_url,
        ),
        ("ROLLCALL_NOTICE_QUEUE_URL", &deployment.notice_queue_url),
        ("ROLLCALL_PUBLIC_URL", &deployment.api_url),
    ];
    let prefix = STACK.to_owned();
    let passed = PASSED_ON
        .iter()
        .filter_map(|(variable, name)| Some((*variable, parameters.get(*name)?)));
    let variables = made
        .into_iter()
        .chain(passed)
        .chain([("ROLLCALL_SECRET_PREFIX", &prefix)])
        .map(|(variable, value)| (variable.to_owned(), value.clone()));
    Ok(Settings::read(&variables.collect())?)
}

/// Returns the repository that contains the current folder, or the one from which this program was
/// built.
///
/// # Errors
/// If neither contains a `template.yaml`.
pub fn root() -> Result<PathBuf, Error> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let here = std::env::current_dir()?;
    let found = here
        .ancestors()
        .map(Path::to_path_buf)
        .chain([built])
        .find(|folder| {
            folder.join("template.yaml").is_file() && folder.join("infra/local").is_dir()
        });
    Ok(found
        .ok_or("run this inside the Rollcall repository")?
        .canonicalize()?)
}
