//! Settings from the environment: read once, with all problems in one error.

mod addresses;

use std::collections::BTreeMap;
use std::time::Duration;

use rollcall_domain::base::ids::TenantId;
use url::Url;

use addresses::is_safe_address;

/// The Microsoft cloud that the deployment serves (S4-004, X-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Worldwide, GCC included.
    Global,
    /// US government, GCC High.
    UsGov,
    /// US government, Department of Defense.
    Dod,
}

/// Default addresses of a cloud; the environment may override each.
struct Hosts {
    entra: &'static str,
    graph: &'static str,
    learn365: &'static str,
}

impl Cloud {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "global" => Some(Self::Global),
            "usgov" => Some(Self::UsGov),
            "dod" => Some(Self::Dod),
            _ => None,
        }
    }

    /// Returns the name of the cloud in the environment and in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "usgov",
            Self::Dod => "dod",
        }
    }

    const fn hosts(self) -> Hosts {
        match self {
            Self::Global => Hosts {
                entra: "https://login.microsoftonline.com",
                graph: "https://graph.microsoft.com",
                learn365: "https://api.365.systems",
            },
            Self::UsGov => Hosts {
                entra: "https://login.microsoftonline.us",
                graph: "https://graph.microsoft.us",
                learn365: "https://api.usgcc365.systems",
            },
            Self::Dod => Hosts {
                entra: "https://login.microsoftonline.us",
                graph: "https://dod-graph.microsoft.us",
                learn365: "https://api.usgcc365.systems",
            },
        }
    }
}

/// All settings that a function reads from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// DynamoDB table.
    pub table: String,
    /// S3 bucket.
    pub bucket: String,
    /// URL of refresh-job's queue.
    pub refresh_queue_url: String,
    /// URL of maintenance-job's queue.
    pub maintenance_queue_url: String,
    /// URL of the queue of notices.
    pub notice_queue_url: String,
    /// Prefix of secret names.
    pub secret_prefix: String,
    /// The Microsoft cloud.
    pub cloud: Cloud,
    /// Entra's authority, without a path.
    pub entra_url: String,
    /// Microsoft Graph, without a version.
    pub graph_url: String,
    /// Learn365, for tenants without a region in their settings.
    pub learn365_url: String,
    /// Public address of this deployment's HTTP API, without a trailing slash; Microsoft redirects
    /// browsers to `/oauth/callback` below it. Without it nothing can be connected.
    pub public_url: Option<String>,
    /// Application (client) id of this service's own app in Entra.
    pub client_id: Option<String>,
    /// Endpoint of Azure Communication Services, if the deployment uses it.
    pub acs_url: Option<String>,
    /// The fixed sender address of e-mails sent through it (S1-27).
    pub acs_sender: Option<String>,
    /// Audience that access tokens for the HTTP API must have. Only profile-api needs it, and does
    /// not start without it.
    pub api_audience: Option<String>,
    /// Address of the administrators' console without a trailing slash: the only origin whose pages
    /// may call the HTTP API from a browser.
    pub frontend_url: Option<String>,
    /// The Entra tenant of the operators. The role `Operator` of any other tenant grants nothing.
    /// Without this setting plans cannot be entered, and every tenant may use the service.
    pub operator_tenant: Option<TenantId>,
    /// Hosts of SCIM services that tenants may use for the directory sync, including their
    /// subdomains. If the list is empty, every public host is allowed.
    pub scim_hosts: Vec<String>,
    /// Sender address of system mail.
    pub system_sender: String,
    /// The time after which a lease expires unless it is renewed.
    pub lease: Duration,
    /// The maximum age of a snapshot that changes may be based on (C-19).
    pub snapshot_max_age: Duration,
}

/// All problems of the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is incomplete or invalid: {}", .0.join("; "))]
pub struct SettingsError(pub Vec<String>);

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Returns an error with every variable that is missing or invalid.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::read(&std::env::vars().collect())
    }

    /// Reads the given variables.
    ///
    /// # Errors
    /// Returns an error with every variable that is missing or invalid.
    pub fn read(variables: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let mut reader = Reader {
            variables,
            problems: Vec::new(),
        };
        let cloud = reader.cloud();
        let hosts = cloud.hosts();
        let settings = Self {
            table: reader.required("ROLLCALL_TABLE"),
            bucket: reader.required("ROLLCALL_BUCKET"),
            refresh_queue_url: reader.required("ROLLCALL_REFRESH_QUEUE_URL"),
            maintenance_queue_url: reader.required("ROLLCALL_MAINTENANCE_QUEUE_URL"),
            notice_queue_url: reader.required("ROLLCALL_NOTICE_QUEUE_URL"),
            secret_prefix: reader.required("ROLLCALL_SECRET_PREFIX"),
            cloud,
            entra_url: reader.url("ROLLCALL_ENTRA_AUTHORITY_URL", hosts.entra),
            graph_url: reader.url("ROLLCALL_GRAPH_URL", hosts.graph),
            learn365_url: reader.url("ROLLCALL_LEARN365_URL", hosts.learn365),
            public_url: reader.optional_url("ROLLCALL_PUBLIC_URL"),
            client_id: reader.optional("ROLLCALL_CLIENT_ID").map(str::to_owned),
            acs_url: reader.optional_url("ROLLCALL_ACS_URL"),
            acs_sender: reader.optional("ROLLCALL_ACS_SENDER").map(str::to_owned),
            api_audience: reader.optional("ROLLCALL_API_AUDIENCE").map(str::to_owned),
            frontend_url: reader.origin("ROLLCALL_FRONTEND_URL"),
            operator_tenant: reader.tenant("ROLLCALL_OPERATOR_TENANT"),
            scim_hosts: reader.list("ROLLCALL_SCIM_HOSTS"),
            system_sender: reader.required("ROLLCALL_SYSTEM_SENDER"),
            lease: Duration::from_secs(reader.number("ROLLCALL_LEASE_SECONDS", 60, 2..=900)),
            snapshot_max_age: Duration::from_secs(
                3_600 * reader.number("ROLLCALL_SNAPSHOT_MAX_AGE_HOURS", 6, 1..=168),
            ),
        };
        if reader.problems.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError(reader.problems))
        }
    }
}

struct Reader<'a> {
    variables: &'a BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn optional(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Returns comma-separated texts in lower case.
    fn list(&self, name: &str) -> Vec<String> {
        let texts = self.optional(name).unwrap_or_default().split(',');
        let texts = texts.map(|text| text.trim().to_ascii_lowercase());
        texts.filter(|text| !text.is_empty()).collect()
    }

    fn required(&mut self, name: &str) -> String {
        let value = self.optional(name).map(str::to_owned);
        value.unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing"));
            String::new()
        })
    }

    fn cloud(&mut self) -> Cloud {
        let name = self
            .optional("ROLLCALL_CLOUD")
            .unwrap_or("global")
            .to_owned();
        Cloud::parse(&name).unwrap_or_else(|| {
            self.problems.push(format!(
                "ROLLCALL_CLOUD must be global, usgov or dod, not {name:?}"
            ));
            Cloud::Global
        })
    }

    /// Returns an address without a trailing slash.
    fn url(&mut self, name: &str, default: &str) -> String {
        let text = self
            .optional(name)
            .unwrap_or(default)
            .trim_end_matches('/')
            .to_owned();
        if !is_safe_address(&text) {
            self.problems
                .push(format!("{name} must be an https address, not {text:?}"));
        }
        text
    }

    /// Returns an address that may be absent.
    fn optional_url(&mut self, name: &str) -> Option<String> {
        self.optional(name)?;
        Some(self.url(name, ""))
    }

    /// Returns the origin of an address, as browsers write it in the header `Origin`.
    fn origin(&mut self, name: &str) -> Option<String> {
        let text = self.optional(name)?.to_owned();
        if !is_safe_address(&text) {
            self.problems
                .push(format!("{name} must be an https address, not {text:?}"));
        }
        Url::parse(&text)
            .ok()
            .map(|url| url.origin().ascii_serialization())
    }

    fn tenant(&mut self, name: &str) -> Option<TenantId> {
        let parsed = self.optional(name)?.parse();
        parsed
            .map_err(|error| self.problems.push(format!("{name}: {error}")))
            .ok()
    }

    fn number(&mut self, name: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
        let Some(text) = self.optional(name).map(str::to_owned) else {
            return default;
        };
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .unwrap_or_else(|| {
                self.problems.push(format!(
                    "{name} must be a number from {} to {}, not {text:?}",
                    range.start(),
                    range.end()
                ));
                default
            })
    }
}

/// Domain suffixes of the hosts of the LMS.
const LEARN365_DOMAINS: [&str; 2] = [".365.systems", ".usgcc365.systems"];

#[cfg(test)]
mod tests;
