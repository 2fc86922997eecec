//! A tenant and its administrators, for trying the API on the local stack.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rollcall_domain::base::ids::TenantId;
use rollcall_simulators::UserTokenSpec;
use rollcall_simulators::generate::{WorldSpec, world};
use rollcall_simulators::world::{KeyLevel, World};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::error::Error;
use crate::personas;
use crate::personas::{Cast, Player};
use crate::stack::{AUDIENCE, Stack};
use crate::tenant::{self, CONNECTED_BY_DEFAULT, CONNECTED_BY_HAND};

/// Lifetime of tokens in seconds: a working day.
const TOKEN_SECONDS: i64 = 12 * 3_600;
/// The directory role of Global Administrators.
const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

/// The files and users for trying the API.
#[derive(Debug, Clone)]
pub struct Playground {
    /// A file for the shell's `source`: the URL of the API as `API`, tokens as `TOKEN` (owner),
    /// `ADMIN_TOKEN` (Global Administrator) and `CATALOG_TOKEN` (catalog admin), the catalog's id
    /// as `CATALOG`, the simulated learning platform's SCIM service as `SCIM` and `SCIM_TOKEN`, and
    /// the function `ask`.
    pub environment: PathBuf,
    /// A body for `PUT /v1/settings` with the simulated tenant's credentials.
    pub settings: PathBuf,
    /// A body for `PUT /v1/sync` with the same credentials and the simulated learning platform.
    pub sync: PathBuf,
    /// The tenant.
    pub tenant: TenantId,
    /// The users by role.
    pub cast: Cast,
    /// Title of the catalog that the catalog admin administers.
    pub catalog: String,
    /// True if the directory must be connected manually.
    pub by_hand: bool,
}

/// Loads a simulated tenant of this size, and writes tokens and request bodies of its
/// administrators to the folder `try`. The directory is connected, unless `by_hand` is true.
///
/// # Errors
/// If a file cannot be written, the tenant cannot be recorded, or it is too small.
pub async fn set_up_playground(
    stack: &Stack,
    home: &Path,
    users: usize,
    by_hand: bool,
) -> Result<Playground, Error> {
    let mut world = world(&WorldSpec {
        users,
        as_of: chrono::Utc::now(),
        ..WorldSpec::default()
    });
    let cast = personas::assign_personas(&mut world)
        .ok_or("the tenant is too small; it needs about 20 users")?;
    let catalog = world.catalogs.first().ok_or("the world has no catalog")?;
    let (catalog, title) = (catalog.id, catalog.title.clone());
    let tenant = TenantId::new(world.tenant.id);
    let version = if by_hand {
        CONNECTED_BY_HAND
    } else {
        CONNECTED_BY_DEFAULT
    };
    tenant::install(&stack.services, tenant, version).await?;

    let settings = settings(&world)?;
    let owner = Player {
        object: Uuid::new_v4(),
        name: "the owner".to_owned(),
        login: format!("owner@{}", world.tenant.domain),
    };
    let sync = sync(stack, &world)?;
    stack.simulators.load(world);
    let lines = environment(stack, tenant, &cast, owner, catalog)?;
    let folder = home.join("try");
    std::fs::create_dir_all(&folder)?;
    let visitor = Playground {
        environment: folder.join("env"),
        settings: folder.join("settings.json"),
        sync: folder.join("sync.json"),
        tenant,
        cast,
        catalog: title,
        by_hand,
    };
    write(&visitor.environment, &(lines + ASK))?;
    write(&visitor.settings, &format!("{settings:#}\n"))?;
    write(&visitor.sync, &format!("{sync:#}\n"))?;
    Ok(visitor)
}

/// Returns the shell variables.
fn environment(
    stack: &Stack,
    tenant: TenantId,
    cast: &Cast,
    owner: Player,
    catalog: Uuid,
) -> Result<String, Error> {
    let scim_token = stack.simulators.scim_token(tenant.uuid());
    let scim_token = scim_token.unwrap_or_default();
    let token = |player: &Player, roles: &[&str], wids: &[Uuid]| {
        let mut spec = UserTokenSpec::new(tenant.uuid(), player.object, AUDIENCE).roles(roles);
        spec.name.clone_from(&player.login);
        spec.wids = wids.to_vec();
        spec.expires_in_s = TOKEN_SECONDS;
        stack.simulators.user_token(&spec)
    };
    let lines = [
        ("API", stack.deployment.api_url.clone()),
        ("TOKEN", token(&owner, &["Owner"], &[])?),
        (
            "ADMIN_TOKEN",
            token(&cast.global_admin, &[], &[GLOBAL_ADMINISTRATOR])?,
        ),
        (
            "CATALOG_TOKEN",
            token(&cast.catalog_admin, &["CatalogAdmin"], &[])?,
        ),
        ("CATALOG", catalog.to_string()),
        ("SCIM", stack.simulators.scim_url(tenant.uuid())),
        ("SCIM_TOKEN", scim_token),
    ];
    let lines = lines.map(|(name, value)| format!("{name}='{value}'\n"));
    Ok(lines.concat())
}

/// A shell function that shortens the instructions.
const ASK: &str = "\
# ask TOKEN METHOD PATH BODY [OPTIONS OF curl]
ask() {
  curl -sS -X \"$2\" -H \"Authorization: Bearer $1\" -H 'Content-Type: application/json' \\
    --data \"$4\" \"${@:5}\" \"$API$3\"
}
";

impl Playground {
    /// Returns the commands to enter, for the terminal.
    pub fn how_to(&self) -> String {
        let source = format!(
            "In another terminal:\n  source {}",
            self.environment.display()
        );
        let settings = format!(
            "Save the settings of the simulated tenant as its owner (docs/api.md continues from here):\n  \
             ask \"$TOKEN\" PUT /v1/settings @{}",
            self.settings.display()
        );
        let account = self.connecting_an_account();
        let sync = format!(
            "Configure a directory sync to a simulated learning platform (docs/api.md, Directory sync):\n  \
             ask \"$TOKEN\" PUT /v1/sync @{}",
            self.sync.display()
        );
        let steps = if self.by_hand {
            vec![
                source,
                self.connecting_the_directory(),
                settings,
                account,
                sync,
            ]
        } else {
            let note = "The directory counts as connected, as for tenants installed before 3.74; with\n\
                        `rollcall up --connect` its Global Administrator connects it manually.";
            vec![source, settings, account, sync, note.to_owned()]
        };
        steps.join("\n\n")
    }

    fn connecting_the_directory(&self) -> String {
        format!(
            "First connect the directory as its Global Administrator:\n  \
             ask \"$ADMIN_TOKEN\" POST /v1/connections/entra/connect '{{\"returnTo\": \"/settings\"}}'\n  \
             {OPEN}\n    \
             {}",
            self.cast.global_admin.login,
        )
    }

    fn connecting_an_account(&self) -> String {
        let Cast {
            with_teams: [one, other],
            without_teams,
            shared,
            ..
        } = &self.cast;
        let width = [one, other, without_teams, shared]
            .map(|player| player.login.len())
            .into_iter()
            .max()
            .unwrap_or_default();
        format!(
            "Connect an account to the catalog \"{}\" as its admin, once the first refresh has ended:\n  \
             M=\"/v1/catalogs/$CATALOG/mail-connection\"\n  \
             ask \"$CATALOG_TOKEN\" PUT \"$M\" '{{\"enabled\": true}}' -H 'If-Match: \"0\"'\n  \
             ask \"$CATALOG_TOKEN\" POST \"$M/connect\" '{{}}'\n  \
             {OPEN}\n    \
             {:width$}  can do everything, as can {}\n    \
             {:width$}  has no Microsoft Teams\n    \
             {:width$}  is a shared mailbox, which is refused\n  \
             Save the body that the page shows (with curl, signIn follows the # in Location):\n  \
             ask \"$CATALOG_TOKEN\" PUT \"$M\" '{{\"enabled\": true, \"signIn\": \"...\"}}' -H 'If-Match: \"1\"'",
            self.catalog, one.login, other.login, without_teams.login, shared.login,
        )
    }
}

const OPEN: &str = "Open the url in the response. The sign-in page is simulated and asks for no password; sign in as";

fn settings(world: &World) -> Result<Value, Error> {
    let mut keys = world.lms_keys.iter();
    let key = keys.find(|key| key.level == KeyLevel::FullControl);
    let key = key.ok_or("the world has no Learn365 key")?;
    let app = world
        .apps
        .first()
        .ok_or("the world has no app registration")?;
    Ok(json!({
        "contact": format!("lms-admins@{}", world.tenant.domain),
        "groupPrefix": "LMS - ",
        "displayName": world.tenant.name,
        "learn365ApiKey": key.key,
        "entraApp": {"clientId": app.client_id, "clientSecret": app.client_secret},
        "catalogAdmins": tenant::catalog_admins(world),
    }))
}

/// Returns the configuration of a directory sync for the simulated tenant.
fn sync(stack: &Stack, world: &World) -> Result<Value, Error> {
    let mut apps = world.apps.iter();
    let app = apps.next().ok_or("the world has no app registration")?;
    Ok(json!({
        "target": stack.simulators.scim_url(world.tenant.id),
        "teams": {"groups": true, "managers": true},
        "apply": "review",
        "entraApp": {"clientId": app.client_id, "clientSecret": app.client_secret},
        "scimToken": format!("simulated-scim-{}", world.tenant.id),
    }))
}

/// Writes a file that only its owner can read, because it may contain credentials.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}
