//! Finds the user of a login in one tenant or in all of them.

use uuid::Uuid;

use super::flow::Door;
use crate::hub::{Shared, lock};
use crate::world::UserType;

/// A user who signs in.
pub(super) struct Visitor {
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
    Here(Visitor),
    /// A user of another tenant.
    Elsewhere,
    /// No user.
    Nobody,
}

/// Looks up a login, first in the tenant of the path, then in all.
pub(super) fn find(door: &Door<'_>, login: &str) -> Lookup {
    let everywhere = || {
        let tenants = door.hub.tenants();
        let found = tenants.into_iter().filter_map(|it| visitor(it, login));
        found.collect::<Vec<Visitor>>()
    };
    if door.is_open() {
        let mut found = everywhere();
        // A guest signs in at their home organisation.
        found.sort_by_key(|it| it.guest);
        return match found.into_iter().next() {
            Some(visitor) => Lookup::Here(visitor),
            None => Lookup::Nobody,
        };
    }
    let here = door.segment.parse().ok().and_then(|id| door.hub.tenant(id));
    match here.and_then(|tenant| visitor(tenant, login)) {
        Some(visitor) => Lookup::Here(visitor),
        None if everywhere().is_empty() => Lookup::Nobody,
        None => Lookup::Elsewhere,
    }
}

fn visitor(shared: Shared, login: &str) -> Option<Visitor> {
    if login.trim().is_empty() {
        return None;
    }
    let tenant = lock(&shared);
    let person = tenant.account(login)?;
    let object = person.object_id?;
    let world = &tenant.state.world;
    let visitor = Visitor {
        tenant_id: world.tenant.id,
        organisation: world.tenant.name.clone(),
        object,
        admin: world.admins.contains(&object),
        enabled: person.account_enabled,
        guest: person.user_type == UserType::Guest,
        tenant: shared.clone(),
    };
    drop(tenant);
    Some(visitor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::flow::Flow;
    use crate::generate::{self, WorldSpec};
    use crate::hub::Hub;

    fn found(hub: &Hub, segment: &str, login: &str) -> Option<(Uuid, bool)> {
        let door = Door {
            hub,
            segment,
            flow: Flow::Authorize,
            raw: "",
        };
        match find(&door, login) {
            Lookup::Here(visitor) => Some((visitor.tenant_id, visitor.guest)),
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
