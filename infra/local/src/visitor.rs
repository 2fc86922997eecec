//! A tenant and an administrator of it, for trying the API by hand on the local stack.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rollcall_simulators::UserTokenSpec;
use rollcall_simulators::generate::{WorldSpec, world};
use rollcall_simulators::world::{KeyLevel, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::{AUDIENCE, Error, Stack};

/// A token is good for so long, in seconds: a working day.
const TOKEN_SECONDS: i64 = 12 * 3_600;

/// Where somebody finds what they need.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// A file for the shell's `source`: `API` and `TOKEN`.
    pub environment: PathBuf,
    /// A body for `PUT /v1/settings` with the simulated tenant's credentials.
    pub settings: PathBuf,
}

/// Puts a simulated tenant of so many people outside, and an owner's token and
/// what they have to enter into the folder `try`.
///
/// # Errors
/// When a file cannot be written.
pub fn welcome(stack: &Stack, home: &Path, users: usize) -> Result<Visitor, Error> {
    let world = world(&WorldSpec {
        users,
        as_of: chrono::Utc::now(),
        ..WorldSpec::default()
    });
    let folder = home.join("try");
    std::fs::create_dir_all(&folder)?;
    let mut spec = UserTokenSpec::new(world.tenant.id, Uuid::new_v4(), AUDIENCE);
    spec.name = format!("owner@{}", world.tenant.domain);
    spec.roles = vec!["Owner".to_owned()];
    spec.expires_in_s = TOKEN_SECONDS;
    let settings = settings(&world)?;
    stack.simulators.load(world);
    let token = stack.simulators.user_token(&spec)?;
    let visitor = Visitor {
        environment: folder.join("env"),
        settings: folder.join("settings.json"),
    };
    let api = &stack.deployment.api_url;
    write(
        &visitor.environment,
        &format!("API='{api}'\nTOKEN='{token}'\n"),
    )?;
    write(&visitor.settings, &format!("{settings:#}\n"))?;
    Ok(visitor)
}

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
    }))
}

/// For the owner's eyes, as any file with a credential should be.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}
