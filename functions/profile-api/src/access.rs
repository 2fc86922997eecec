//! The permissions of the API, and the layer that checks the permission of each route.
//!
//! Tests and `docs/api.md` are made from the table of routes, [`ROUTES`]. Requests to routes that
//! it does not contain are rejected.

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::ALLOW;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rollcall_domain::connection::ConnectionKind;
use rollcall_domain::connection::installation::Feature;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::{AuthError, Caller, Role};

use crate::cache::admin_activity;
use crate::cache::entitlements;
use crate::connections;
use crate::error::ApiError;
pub use crate::routes::{ROUTES, Route};
use crate::state::ApiState;
use Permission::{Operate, Public};

/// A permission, which callers have through their roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// No role and no token is required.
    Public,
    /// Read the tenant's status, settings and runs.
    ReadTenant,
    /// Read profiles and their audiences, including the names of learners.
    ReadProfiles,
    /// Create, change, delete and restore profiles.
    WriteProfiles,
    /// Choose a profile's courses; catalog admins for their own catalogs.
    WriteCourses,
    /// Save and test settings and credentials.
    WriteSettings,
    /// Approve or discard held changes.
    DecideHolds,
    /// Start jobs manually.
    StartRuns,
    /// Read the audit log.
    ReadAudit,
    /// Connect the tenant's directory (S0-15).
    ManageEntra,
    /// Connect a catalog's Microsoft 365 account: admins of that catalog (S1-03, S1-36).
    ManageMail,
    /// Schedule course sessions; catalog admins for their own catalogs.
    ManageSessions,
    /// Read notifications, which name profiles and runs of all catalogs.
    ReadNotifications,
    /// Read users and groups of the directory live.
    ReadDirectory,
    /// Invite guests to the directory, and add its groups to catalogs.
    WriteDirectory,
    /// Read the directory sync and its runs, which name users.
    ReadSync,
    /// Configure, connect and run the directory sync, and decide on its changes
    /// (S2-01, S3-01, S3-02).
    ManageSync,
    /// Manage the plans, installations and sync times of tenants.
    Operate,
}

use Role::{CatalogAdmin, GlobalAdmin, ItAdmin, LmsAdmin, Operator, Owner, SuperAdmin};

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 18] = [
        Self::Public,
        Self::ReadTenant,
        Self::ReadProfiles,
        Self::WriteProfiles,
        Self::WriteCourses,
        Self::WriteSettings,
        Self::DecideHolds,
        Self::StartRuns,
        Self::ReadAudit,
        Self::ManageEntra,
        Self::ManageMail,
        Self::ManageSessions,
        Self::ReadNotifications,
        Self::ReadDirectory,
        Self::WriteDirectory,
        Self::ReadSync,
        Self::ManageSync,
        Self::Operate,
    ];

    /// Returns the name used in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::ReadTenant => "tenant.read",
            Self::ReadProfiles => "profiles.read",
            Self::WriteProfiles => "profiles.write",
            Self::WriteCourses => "courses.write",
            Self::WriteSettings => "settings.write",
            Self::DecideHolds => "holds.decide",
            Self::StartRuns => "runs.start",
            Self::ReadAudit => "audit.read",
            Self::ManageEntra => ConnectionKind::Entra.permission(),
            Self::ManageMail => ConnectionKind::Mail.permission(),
            Self::ManageSessions => "sessions.manage",
            Self::ReadNotifications => "notifications.read",
            Self::ReadDirectory => "directory.read",
            Self::WriteDirectory => "directory.write",
            Self::ReadSync => "sync.read",
            Self::ManageSync => ConnectionKind::DirectorySync.permission(),
            Self::Operate => "operate",
        }
    }

    /// Returns the roles that grant it. The daily work on profiles requires no Entra role
    /// (S4-010).
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Public => &[],
            Self::ReadTenant => &[
                Owner,
                SuperAdmin,
                ItAdmin,
                LmsAdmin,
                CatalogAdmin,
                GlobalAdmin,
            ],
            Self::ReadProfiles => &[Owner, SuperAdmin, ItAdmin, LmsAdmin, CatalogAdmin],
            Self::WriteProfiles | Self::DecideHolds | Self::WriteDirectory => {
                &[Owner, SuperAdmin, LmsAdmin]
            }
            Self::WriteCourses | Self::ManageSessions => {
                &[Owner, SuperAdmin, LmsAdmin, CatalogAdmin]
            }
            Self::WriteSettings => &[Owner, SuperAdmin, ItAdmin, LmsAdmin, GlobalAdmin],
            Self::StartRuns | Self::ReadAudit | Self::ReadDirectory | Self::ReadNotifications => {
                &[Owner, SuperAdmin, ItAdmin, LmsAdmin]
            }
            Self::ReadSync => &[Owner, SuperAdmin, ItAdmin],
            Self::ManageSync => &[Owner, ItAdmin],
            Self::ManageEntra => &[GlobalAdmin],
            Self::ManageMail => &[CatalogAdmin],
            Self::Operate => &[Operator],
        }
    }
}

impl Permission {
    /// Returns the roles that grant it only together: a Super admin who is also a Global
    /// Administrator may set up the sync (S3-02).
    pub const fn together(self) -> &'static [Role] {
        match self {
            Self::ManageSync => &[SuperAdmin, GlobalAdmin],
            _ => &[],
        }
    }

    /// Returns true if it belongs to the paid add-on (S2-02).
    const fn is_add_on(self) -> bool {
        matches!(self, Self::ReadSync | Self::ManageSync)
    }

    /// Checks that the caller has the permission.
    fn of(self, caller: &Caller) -> Result<(), AuthError> {
        let together = self.together();
        if !together.is_empty() && together.iter().all(|role| caller.roles.contains(role)) {
            return Ok(());
        }
        caller.require(self.roles())
    }
}

/// Returns the route of a method and a matched path.
pub fn route(method: &Method, path: &str) -> Option<&'static Route> {
    // axum serves HEAD with the handler of GET.
    let method = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path)
}

/// Returns the tables of `docs/api.md` in Markdown: every route with its permission and
/// whether the maintenance lock forbids it, then the roles of each permission.
pub fn markdown() -> String {
    let routes = ROUTES.iter().map(|route| {
        let Route {
            method,
            path,
            permission,
            locked,
            needs,
            ..
        } = route;
        let lock = if *locked { "423" } else { "" };
        let needs = needs.map_or("", Feature::title);
        format!(
            "| `{method} {path}` | {} | {lock} | {needs} |\n",
            permission.name()
        )
    });
    let roles = Role::ALL.map(Role::name);
    let permissions = Permission::ALL.into_iter().filter(|one| *one != Public);
    let permissions = permissions.map(|permission| {
        let mark = |role| {
            if permission.roles().contains(&role) {
                "✓"
            } else if permission.together().contains(&role) {
                "both¹"
            } else {
                ""
            }
        };
        let marks = Role::ALL.map(mark).join(" | ");
        format!("| {} | {marks} |\n", permission.name())
    });
    format!(
        "| Route | Permission | During maintenance | Requires the directory connection for |\n|---|---|---|---|\n{}\n| Permission | {} |\n|---|{}\n{}\n¹ Both roles together.\n",
        routes.collect::<String>(),
        roles.join(" | "),
        "---|".repeat(roles.len()),
        permissions.collect::<String>()
    )
}

/// Passes a permitted request to its handler and rejects others. Handlers find the
/// verified [`Caller`] in the request's extensions.
pub(crate) async fn authorize(
    State(api): State<ApiState>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(route) = route(request.method(), path.as_str()) else {
        return without_entry(path.as_str());
    };
    if route.permission == Public {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &api).await?;
    route.permission.of(&caller)?;
    if route.permission != Operate && !entitlements::is_entitled(&api, caller.tenant).await? {
        return Err(not_in_plan());
    }
    if route.permission.is_add_on() && !api.services.has_sync(caller.tenant).await? {
        return Err(not_enabled());
    }
    admin_activity::record(&api, &caller).await;
    if let Some(feature) = route.needs {
        connections::model::require_directory(&api, caller.tenant, feature).await?;
    }
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Rejects a request whose route is not in [`ROUTES`], even if the router has a handler for it.
fn without_entry(path: &str) -> Result<Response, ApiError> {
    let methods: Vec<&str> = ROUTES
        .iter()
        .filter(|route| route.path == path)
        .map(|route| route.method)
        .collect();
    if methods.is_empty() {
        return Err(ApiError::Missing);
    }
    let detail =
        "This path does not support this method; the header Allow lists the supported ones.";
    let refused = ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, detail);
    Ok(([(ALLOW, methods.join(","))], refused).into_response())
}

/// Returns the error for a tenant without the add-on (S2-02).
fn not_enabled() -> ApiError {
    let detail = "The directory sync is a paid add-on that is not enabled for your tenant. Ask your account manager to enable it.";
    ApiError::forbidden("add-on", detail)
}

/// Returns the error for a tenant whose plan does not include the service (S4-001).
fn not_in_plan() -> ApiError {
    let detail = "This service is part of the plans Success Plus and Success Premium; your tenant has neither. Ask your account manager to change the plan.";
    ApiError::forbidden("not-in-plan", detail)
}

#[cfg(test)]
mod tests {
    use super::Permission::{DecideHolds, ReadProfiles, StartRuns, WriteCourses, WriteProfiles};
    use super::*;

    /// Checks that `docs/api.md` contains the current table. With `ROLLCALL_WRITE_DOCS=1`
    /// this test writes it.
    #[test]
    fn the_documentation_shows_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
        let page = std::fs::read_to_string(path).expect("docs/api.md not readable");
        let (begin, end) = ("<!-- routes -->\n", "<!-- end of routes -->");
        let (before, rest) = page.split_once(begin).expect("begin marker not found");
        let (table, after) = rest.split_once(end).expect("end marker not found");
        if std::env::var_os("ROLLCALL_WRITE_DOCS").is_some() {
            let page = format!("{before}{begin}{}{end}{after}", markdown());
            std::fs::write(path, page).expect("docs/api.md not written");
            return;
        }
        assert!(
            table == markdown(),
            "docs/api.md is out of date: ROLLCALL_WRITE_DOCS=1 cargo test -p rollcall-profile-api"
        );
    }

    /// Proves S4-010: daily work on profiles requires no Entra role.
    #[test]
    fn no_directory_role_is_needed_for_profiles() {
        for permission in [
            ReadProfiles,
            WriteProfiles,
            WriteCourses,
            DecideHolds,
            StartRuns,
        ] {
            assert!(permission.roles().contains(&LmsAdmin), "{permission:?}");
            assert!(!permission.roles().contains(&GlobalAdmin), "{permission:?}");
        }
    }

    /// Proves S4-110…S4-114: the lock forbids the four kinds of action and no others.
    #[test]
    fn the_lock_forbids_what_the_guide_names() {
        let forbidden: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.locked)
            .map(|route| (route.method, route.path))
            .collect();
        let expected = [
            ("PUT", "/v1/settings"),
            ("POST", "/v1/profiles"),
            ("POST", "/v1/profiles/preview"),
            ("PUT", "/v1/profiles/{id}"),
            ("POST", "/v1/profiles/{id}/restore"),
            ("PUT", "/v1/profiles/{id}/courses"),
            ("GET", "/v1/profiles/{id}/preview"),
            ("GET", "/v1/profiles/{id}/members"),
            ("GET", "/v1/profiles/{id}/members.xlsx"),
            ("POST", "/v1/profiles/{id}/hold/approve"),
            ("POST", "/v1/profiles/{id}/hold/discard"),
        ];
        assert_eq!(forbidden, expected);
    }
}
