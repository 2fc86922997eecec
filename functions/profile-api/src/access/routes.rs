//! Every route there is: what it takes, when it is forbidden, what it needs.

use rollcall_domain::connection::installation::Feature;

use super::Permission;

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method in capitals.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// What it takes.
    pub permission: Permission,
    /// Whether maintenance forbids it while it works (S4-110…114).
    pub locked: bool,
    /// The feature it belongs to, if that needs the directory connected (S0-14).
    pub needs: Option<Feature>,
}

const fn open(method: &'static str, path: &'static str, permission: Permission) -> Route {
    Route {
        method,
        path,
        permission,
        locked: false,
        needs: None,
    }
}

const fn with(
    feature: Feature,
    method: &'static str,
    path: &'static str,
    permission: Permission,
) -> Route {
    Route {
        method,
        path,
        permission,
        locked: false,
        needs: Some(feature),
    }
}

const fn locked(method: &'static str, path: &'static str, permission: Permission) -> Route {
    Route {
        method,
        path,
        permission,
        locked: true,
        needs: None,
    }
}

use Permission::{
    DecideHolds, ManageEntra, ManageMail, ManageSessions, ManageSync, Operate, Public, ReadAudit,
    ReadDirectory, ReadNotifications, ReadProfiles, ReadSync, ReadTenant, StartRuns, WriteCourses,
    WriteDirectory, WriteProfiles, WriteSettings,
};

/// Every route there is.
pub const ROUTES: &[Route] = &[
    open("GET", "/v1/health", Public),
    open("GET", "/v1/openapi.json", Public),
    open("GET", "/v1/sign-in", Public),
    open("GET", "/v1/tenant", ReadTenant),
    open("GET", "/v1/settings", ReadTenant),
    locked("PUT", "/v1/settings", WriteSettings),
    open("POST", "/v1/settings/test", WriteSettings),
    open("GET", "/v1/schema", ReadProfiles),
    open("GET", "/v1/users", ReadProfiles),
    open("GET", "/v1/courses", ReadProfiles),
    open("GET", "/v1/catalogs", ReadProfiles),
    open("GET", "/v1/profiles", ReadProfiles),
    locked("POST", "/v1/profiles", WriteProfiles),
    // A draft can ask about any field of anybody, so it takes who may save one.
    locked("POST", "/v1/profiles/preview", WriteProfiles),
    open("GET", "/v1/profiles/{id}", ReadProfiles),
    locked("PUT", "/v1/profiles/{id}", WriteProfiles),
    // Accepted while maintenance works; the next cycle carries it out (S4-114).
    open("DELETE", "/v1/profiles/{id}", WriteProfiles),
    locked("POST", "/v1/profiles/{id}/restore", WriteProfiles),
    locked("PUT", "/v1/profiles/{id}/courses", WriteCourses),
    open("GET", "/v1/profiles/{id}/versions", ReadProfiles),
    open("GET", "/v1/profiles/{id}/versions/{version}", ReadProfiles),
    locked("GET", "/v1/profiles/{id}/preview", ReadProfiles),
    locked("GET", "/v1/profiles/{id}/members", ReadProfiles),
    locked("GET", "/v1/profiles/{id}/members.xlsx", ReadProfiles),
    open("GET", "/v1/profiles/{id}/explain", ReadProfiles),
    open("GET", "/v1/profiles/{id}/hold", ReadProfiles),
    locked("POST", "/v1/profiles/{id}/hold/approve", DecideHolds),
    locked("POST", "/v1/profiles/{id}/hold/discard", DecideHolds),
    open("GET", "/v1/runs", ReadTenant),
    open("POST", "/v1/runs", StartRuns),
    open("GET", "/v1/runs/{id}", ReadTenant),
    open("GET", "/v1/audit", ReadAudit),
    open("GET", "/v1/connections", ReadTenant),
    open("POST", "/v1/connections/entra/connect", ManageEntra),
    // Everybody is told why it cannot be ended; before it works only its admins may drop it.
    open("DELETE", "/v1/connections/entra", ReadTenant),
    open("GET", "/v1/catalogs/{id}/mail-connection", ReadTenant),
    open("PUT", "/v1/catalogs/{id}/mail-connection", ManageMail),
    open("DELETE", "/v1/catalogs/{id}/mail-connection", ManageMail),
    open(
        "POST",
        "/v1/catalogs/{id}/mail-connection/connect",
        ManageMail,
    ),
    open("GET", "/v1/catalogs/{id}/messages", ManageSessions),
    open("GET", "/v1/catalogs/{id}/rooms", ManageSessions),
    open("GET", "/v1/catalogs/{id}/sessions", ManageSessions),
    open("POST", "/v1/catalogs/{id}/sessions", ManageSessions),
    open(
        "GET",
        "/v1/catalogs/{id}/sessions/{session}",
        ManageSessions,
    ),
    open(
        "PATCH",
        "/v1/catalogs/{id}/sessions/{session}",
        ManageSessions,
    ),
    open(
        "DELETE",
        "/v1/catalogs/{id}/sessions/{session}",
        ManageSessions,
    ),
    with(
        Feature::Groups,
        "POST",
        "/v1/catalogs/{id}/groups",
        WriteDirectory,
    ),
    with(
        Feature::DirectoryData,
        "GET",
        "/v1/directory/users",
        ReadDirectory,
    ),
    with(
        Feature::Hierarchy,
        "GET",
        "/v1/directory/users/{user}",
        ReadDirectory,
    ),
    with(
        Feature::DirectoryData,
        "GET",
        "/v1/directory/groups",
        ReadDirectory,
    ),
    with(
        Feature::Guests,
        "POST",
        "/v1/directory/guests",
        WriteDirectory,
    ),
    open("GET", "/v1/sync", ReadSync),
    open("PUT", "/v1/sync", ManageSync),
    open("GET", "/v1/sync/recipients", ReadSync),
    open("POST", "/v1/sync/test", ManageSync),
    open("POST", "/v1/sync/activate", ManageSync),
    open("POST", "/v1/sync/deactivate", ManageSync),
    open("POST", "/v1/sync/connect", ManageSync),
    open("POST", "/v1/sync/disconnect", ManageSync),
    open("GET", "/v1/sync/runs", ReadSync),
    open("POST", "/v1/sync/runs", ManageSync),
    open("GET", "/v1/sync/runs/{id}", ReadSync),
    open("GET", "/v1/sync/runs/{id}/photo", ReadSync),
    open("GET", "/v1/sync/runs/{id}/changes", ReadSync),
    open("POST", "/v1/sync/runs/{id}/decisions", ManageSync),
    open("GET", "/v1/sync/pins", ReadSync),
    open("DELETE", "/v1/sync/pins/{id}", ManageSync),
    open("GET", "/v1/notifications", ReadNotifications),
    open("POST", "/v1/notifications/{id}/read", ReadNotifications),
    open("GET", "/v1/operator/tenants/{tenant}/installation", Operate),
    open("PUT", "/v1/operator/tenants/{tenant}/installation", Operate),
    open("GET", "/v1/operator/tenants/{tenant}/entitlement", Operate),
    open("PUT", "/v1/operator/tenants/{tenant}/entitlement", Operate),
    open("PUT", "/v1/operator/tenants/{tenant}/sync-times", Operate),
    open(
        "DELETE",
        "/v1/operator/tenants/{tenant}/sync-times",
        Operate,
    ),
];
