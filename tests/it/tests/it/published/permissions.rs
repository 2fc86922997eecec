//! The permissions of each route, and the conditions that can prevent its use.

use rollcall_domain::connection::installation::Feature;
use rollcall_profile_api::access::{Permission, ROUTES, markdown};
use rollcall_runtime::auth::Role;

fn names(roles: &[Role]) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    names.join(" ")
}

#[test]
fn every_route_with_its_roles() {
    let lines = ROUTES.iter().map(|route| {
        let lock = if route.locked { " | locked" } else { "" };
        let needs = route.needs.map_or(String::new(), |feature| {
            format!(" | needs {feature:?}: {}", Feature::title(feature))
        });
        format!(
            "{} {} | {} | {}{lock}{needs}\n",
            route.method,
            route.path,
            route.permission.name(),
            names(route.permission.roles()),
        )
    });
    insta::assert_snapshot!(lines.collect::<String>());
}

#[test]
fn every_permission_with_its_roles() {
    let lines = Permission::ALL.into_iter().map(|permission| {
        let together = match permission.together() {
            [] => String::new(),
            roles => format!(" | together: {}", names(roles)),
        };
        format!(
            "{} | {}{together}\n",
            permission.name(),
            names(permission.roles())
        )
    });
    insta::assert_snapshot!(lines.collect::<String>());
}

#[test]
fn the_table_of_the_documentation() {
    insta::assert_snapshot!(markdown());
}
