//! The table of all routes: each line has the permission, the lock, the required feature and
//! the handler of a route.

use rollcall_domain::connection::installation::Feature;
use utoipa_axum::router::OpenApiRouter;

use crate::access::Permission;
use crate::state::ApiState;
use crate::{
    audit, connections, directory, directory_sync, health, installation, lookups, mail_connection,
    notifications, openapi, operator, profiles, runs, sessions, settings, sign_in, tenant,
};

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method in capitals.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// The required permission.
    pub permission: Permission,
    /// True if it responds with 423 during maintenance (S4-110…114). This value is used only by the
    /// document and the tests: the store rejects writes, and `profiles/lock.rs` rejects previews
    /// and member lists.
    pub locked: bool,
    /// The feature it belongs to, if that requires the directory connection (S0-14).
    pub needs: Option<Feature>,
    /// Adds the handler and its documentation to a router.
    register: fn(OpenApiRouter<ApiState>) -> OpenApiRouter<ApiState>,
}

impl Route {
    const fn locked(self) -> Self {
        Self {
            locked: true,
            ..self
        }
    }

    const fn needs(self, feature: Feature) -> Self {
        Self {
            needs: Some(feature),
            ..self
        }
    }
}

/// Makes the table from lines of the form `METHOD "path" Permission, option => handler;`,
/// where an option is `locked` or `needs(Feature)`.
macro_rules! routes {
    ($($method:ident $path:literal $permission:ident $(, $option:ident $(($feature:ident))?)?
        => $($handler:ident)::+;)*) => {
        &[$(Route {
            method: stringify!($method),
            path: $path,
            permission: Permission::$permission,
            locked: false,
            needs: None,
            register: |router| router.routes(utoipa_axum::routes!($($handler)::+)),
        }$(.$option($(Feature::$feature)?))?),*]
    };
}

/// All routes. Requests to other routes are rejected.
pub const ROUTES: &[Route] = routes! {
    GET "/v1/health" Public => health::show;
    GET "/v1/openapi.json" Public => openapi::show;
    GET "/v1/sign-in" Public => sign_in::show;
    GET "/v1/tenant" ReadTenant => tenant::show;
    GET "/v1/settings" ReadTenant => settings::show::show;
    PUT "/v1/settings" WriteSettings, locked => settings::save::save;
    POST "/v1/settings/test" WriteSettings => settings::test::test;
    GET "/v1/schema" ReadProfiles => lookups::schema;
    GET "/v1/users" ReadProfiles => lookups::users;
    GET "/v1/courses" ReadProfiles => lookups::courses;
    GET "/v1/catalogs" ReadProfiles => lookups::catalogs;
    GET "/v1/profiles" ReadProfiles => profiles::list::list;
    POST "/v1/profiles" WriteProfiles, locked => profiles::save::create;
    // A draft can query any field of any learner, so it requires the permission to save one.
    POST "/v1/profiles/preview" WriteProfiles, locked => profiles::preview::draft;
    GET "/v1/profiles/{id}" ReadProfiles => profiles::show::show;
    PUT "/v1/profiles/{id}" WriteProfiles, locked => profiles::save::update;
    // Accepted during maintenance; the next run applies it (S4-114).
    DELETE "/v1/profiles/{id}" WriteProfiles => profiles::delete::delete;
    POST "/v1/profiles/{id}/restore" WriteProfiles, locked => profiles::restore::restore;
    PUT "/v1/profiles/{id}/courses" WriteCourses, locked => profiles::courses::choose;
    GET "/v1/profiles/{id}/versions" ReadProfiles => profiles::versions::list;
    GET "/v1/profiles/{id}/versions/{version}" ReadProfiles => profiles::versions::show;
    GET "/v1/profiles/{id}/preview" ReadProfiles, locked => profiles::preview::saved;
    GET "/v1/profiles/{id}/members" ReadProfiles, locked => profiles::members::list;
    GET "/v1/profiles/{id}/members.xlsx" ReadProfiles, locked => profiles::members::workbook;
    GET "/v1/profiles/{id}/explain" ReadProfiles => profiles::explain::explain;
    GET "/v1/profiles/{id}/hold" ReadProfiles => profiles::hold::show;
    POST "/v1/profiles/{id}/hold/approve" DecideHolds, locked => profiles::hold::approve;
    POST "/v1/profiles/{id}/hold/discard" DecideHolds, locked => profiles::hold::discard;
    GET "/v1/runs" ReadTenant => runs::list;
    POST "/v1/runs" StartRuns => runs::start::start;
    GET "/v1/runs/{id}" ReadTenant => runs::show;
    GET "/v1/audit" ReadAudit => audit::list;
    GET "/v1/connections" ReadTenant => connections::list::list;
    POST "/v1/connections/entra/connect" ManageEntra => connections::entra::connect;
    // All roles may read why it cannot be ended; only its admins may cancel an attempt.
    DELETE "/v1/connections/entra" ReadTenant => connections::entra::disconnect;
    GET "/v1/catalogs/{id}/mail-connection" ReadTenant => mail_connection::show::show;
    PUT "/v1/catalogs/{id}/mail-connection" ManageMail => mail_connection::save::save;
    DELETE "/v1/catalogs/{id}/mail-connection" ManageMail => mail_connection::disconnect::disconnect;
    POST "/v1/catalogs/{id}/mail-connection/connect" ManageMail => mail_connection::connect::connect;
    GET "/v1/catalogs/{id}/messages" ManageSessions => mail_connection::messages::list;
    GET "/v1/catalogs/{id}/rooms" ManageSessions => sessions::rooms::list;
    GET "/v1/catalogs/{id}/sessions" ManageSessions => sessions::list::list;
    POST "/v1/catalogs/{id}/sessions" ManageSessions => sessions::save::create;
    GET "/v1/catalogs/{id}/sessions/{session}" ManageSessions => sessions::list::show;
    PATCH "/v1/catalogs/{id}/sessions/{session}" ManageSessions => sessions::save::update;
    DELETE "/v1/catalogs/{id}/sessions/{session}" ManageSessions => sessions::save::cancel;
    POST "/v1/catalogs/{id}/groups" WriteDirectory, needs(Groups) => directory::groups::add;
    GET "/v1/directory/users" ReadDirectory, needs(DirectoryData) => directory::people::list;
    GET "/v1/directory/users/{user}" ReadDirectory, needs(Hierarchy) => directory::people::show;
    GET "/v1/directory/groups" ReadDirectory, needs(DirectoryData) => directory::groups::list;
    POST "/v1/directory/guests" WriteDirectory, needs(Guests) => directory::guests::invite;
    GET "/v1/sync" ReadSync => directory_sync::show::show;
    PUT "/v1/sync" ManageSync => directory_sync::save::save;
    GET "/v1/sync/recipients" ReadSync => directory_sync::show::recipients;
    POST "/v1/sync/test" ManageSync => directory_sync::lifecycle::test;
    POST "/v1/sync/activate" ManageSync => directory_sync::lifecycle::activate;
    POST "/v1/sync/deactivate" ManageSync => directory_sync::lifecycle::deactivate;
    POST "/v1/sync/connect" ManageSync => directory_sync::connect::connect;
    POST "/v1/sync/disconnect" ManageSync => directory_sync::lifecycle::disconnect;
    GET "/v1/sync/runs" ReadSync => directory_sync::runs::list;
    POST "/v1/sync/runs" ManageSync => directory_sync::runs::start;
    GET "/v1/sync/runs/{id}" ReadSync => directory_sync::runs::show;
    GET "/v1/sync/runs/{id}/photo" ReadSync => directory_sync::runs::photo;
    GET "/v1/sync/runs/{id}/changes" ReadSync => directory_sync::changes::list;
    POST "/v1/sync/runs/{id}/decisions" ManageSync => directory_sync::review::decide;
    GET "/v1/sync/pins" ReadSync => directory_sync::pins::list;
    DELETE "/v1/sync/pins/{id}" ManageSync => directory_sync::pins::remove;
    GET "/v1/notifications" ReadNotifications => notifications::list;
    POST "/v1/notifications/{id}/read" ReadNotifications => notifications::read;
    GET "/v1/operator/tenants/{tenant}/installation" Operate => installation::show;
    PUT "/v1/operator/tenants/{tenant}/installation" Operate => installation::change;
    GET "/v1/operator/tenants/{tenant}/entitlement" Operate => operator::show;
    PUT "/v1/operator/tenants/{tenant}/entitlement" Operate => operator::change;
    PUT "/v1/operator/tenants/{tenant}/sync-times" Operate => directory_sync::operator_schedule::set;
    DELETE "/v1/operator/tenants/{tenant}/sync-times" Operate => directory_sync::operator_schedule::remove;
};

/// Returns the router of all routes, with their documentation.
pub(crate) fn router() -> OpenApiRouter<ApiState> {
    ROUTES.iter().fold(OpenApiRouter::new(), |router, route| {
        (route.register)(router)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that method and path in the attributes of each handler equal those in its line
    /// of the table.
    #[test]
    fn each_line_names_the_handler_of_its_method_and_path() {
        for route in ROUTES {
            let (_, document) = (route.register)(OpenApiRouter::new()).split_for_parts();
            let mut paths = document.paths.paths;
            let item = paths.remove(route.path);
            let found =
                item.and_then(|mut item| openapi::operation(&mut item, route.method).cloned());
            assert!(found.is_some() && paths.is_empty(), "{route:?}");
        }
    }
}
