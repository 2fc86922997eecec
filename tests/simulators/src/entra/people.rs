//! Finds the user of a login in one tenant or in all of them.

use uuid::Uuid;

use super::flow::SignInLink;
use crate::hub::{Shared, lock};
use crate::world::UserType;

/// A user who signs in.
pub(super) struct SignedInUser {
    /// The tenant of the sign-in.
    pub(super) tenant: Shared,
    /// Its id.
    pub(super) tenant_id: Uuid,
    /// Its name.
    pub(super) organisation: String,
    /// Object id.
    pub(super) object: Uuid,
    /// Whether a global administrator.
    pub(super) admin: bool,
    /// Whether sign-in is enabled.
    pub(super) enabled: bool,
    guest: bool,
}

/// The result of a lookup.
pub(super) enum Lookup {
    /// A user of the tenant in the path, or of any tenant if the path specifies none.
    Here(SignedInUser),
    /// A user of another tenant.
    Elsewhere,
    /// No user.
    Nobody,
}

/// Looks up a login, first in the tenant of the path, then in all.
pub(super) fn find(link: &SignInLink<'_>, login: &str) -> Lookup {
    let everywhere = || {
        let tenants = link.hub.tenants();
        let found = tenants.into_iter().filter_map(|it| user(it, login));
        found.collect::<Vec<SignedInUser>>()
    };
    if link.is_open() {
        let mut found = everywhere();
        // A guest signs in at their home organisation.
        found.sort_by_key(|it| it.guest);
        return match found.into_iter().next() {
            Some(user) => Lookup::Here(user),
            None => Lookup::Nobody,
        };
    }
    let here = link.segment.parse().ok().and_then(|id| link.hub.tenant(id));
    match here.and_then(|tenant| user(tenant, login)) {
        Some(user) => Lookup::Here(user),
        None if everywhere().is_empty() => Lookup::Nobody,
        None => Lookup::Elsewhere,
    }
}

fn user(shared: Shared, login: &str) -> Option<SignedInUser> {
    if login.trim().is_empty() {
        return None;
    }
    let tenant = lock(&shared);
    let person = tenant.account(login)?;
    let object = person.object_id?;
    let world = &tenant.state.world;
    let user = SignedInUser {
        tenant_id: world.tenant.id,
        organisation: world.tenant.name.clone(),
        object,
        admin: world.admins.contains(&object),
        enabled: person.account_enabled,
        guest: person.user_type == UserType::Guest,
        tenant: shared.clone(),
    };
    drop(tenant);
    Some(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::flow::Flow;
    use crate::generate::{self, WorldSpec};
    use crate::hub::Hub;

    fn found(hub: &Hub, segment: &str, login: &str) -> Option<(Uuid, bool)> {
        let link = SignInLink {
            hub,
            segment,
            flow: Flow::Authorize,
            raw: "",
        };
        match find(&link, login) {
            Lookup::Here(user) => Some((user.tenant_id, user.guest)),
            Lookup::Elsewhere | Lookup::Nobody => None,
        }
    }

    #[test]
    fn a_guest_signs_in_at_home_unless_the_path_names_the_host() {
        let hub = Hub::new(String::new());
        let (host, home) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for tenant in [host, home] {
            let mut world = generate::world(&WorldSpec {
                tenant,
                users: 3,
                ..WorldSpec::default()
            });
            let person = &mut world.people[0];
            person.object_id = Some(Uuid::from_u128(9));
            person.mail = Some("gail@partner.example".to_owned());
            person.user_type = if tenant == host {
                UserType::Guest
            } else {
                UserType::Member
            };
            hub.put(world.into());
        }
        let login = "Gail@partner.example";
        assert_eq!(found(&hub, "organizations", login), Some((home, false)));
        assert_eq!(found(&hub, &host.to_string(), login), Some((host, true)));
        assert_eq!(found(&hub, "organizations", " "), None);
    }
}
