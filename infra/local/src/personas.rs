//! The users of a simulated tenant that have a role in connecting accounts, and their mailboxes.

use rollcall_simulators::world::{ExchangePlan, Mailbox, Person, Room, UserType, World};
use uuid::Uuid;

/// A user with a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// Object id in Entra.
    pub object: Uuid,
    /// Display name.
    pub name: String,
    /// Login name.
    pub login: String,
}

/// The roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// A user who can consent for the whole organization.
    pub global_admin: Player,
    /// The administrator of the first catalog.
    pub catalog_admin: Player,
    /// Users whose mailboxes have all features: Exchange Online Plan 1 and Teams.
    pub with_teams: [Player; 2],
    /// A user whose mailbox has no Teams.
    pub without_teams: Player,
    /// A shared mailbox, which cannot be connected.
    pub shared: Player,
}

impl Cast {
    /// Selects the first users whose names are easy to read and type, the same ones in every run;
    /// `None` if there are too few.
    pub fn of(world: &World) -> Option<Self> {
        let mut players = world.people.iter().filter_map(player);
        let mut next = || players.next();
        Some(Self {
            global_admin: next()?,
            catalog_admin: next()?,
            with_teams: [next()?, next()?],
            without_teams: next()?,
            shared: next()?,
        })
    }
}

/// Assigns permissions and mailboxes to the cast, and adds three rooms to the tenant.
pub fn assign_personas(world: &mut World) -> Option<Cast> {
    let cast = Cast::of(world)?;
    world.admins.insert(cast.global_admin.object);
    let without_teams = Mailbox {
        teams: false,
        ..Mailbox::default()
    };
    let shared = Mailbox {
        exchange: ExchangePlan::None,
        shared: true,
        ..Mailbox::default()
    };
    let [one, other] = &cast.with_teams;
    world.mailboxes.extend([
        (one.object, Mailbox::default()),
        (other.object, Mailbox::default()),
        (cast.without_teams.object, without_teams),
        (cast.shared.object, shared),
    ]);
    let domain = &world.tenant.domain;
    world.rooms = [
        ("Boardroom", "boardroom", 12, true),
        ("Workshop", "workshop", 30, true),
        ("Studio (declines everything)", "studio", 6, false),
    ]
    .map(|(name, address, capacity, accepts)| Room {
        name: name.to_owned(),
        email: format!("{address}@{domain}"),
        capacity,
        building: Some("HQ".to_owned()),
        accepts,
        answer_after_ms: 1_000,
    })
    .into();
    Some(cast)
}

fn player(person: &Person) -> Option<Player> {
    let plain = |text: &str| {
        let mut chars = text.chars();
        chars.all(|c| c.is_ascii_alphanumeric() || " .-@".contains(c))
    };
    let fits = person.user_type == UserType::Member
        && person.account_enabled
        && person.lms_id.is_some()
        && person.mail.is_some()
        && plain(&person.display_name)
        && plain(&person.upn);
    Some(Player {
        object: person.object_id.filter(|_| fits)?,
        name: person.display_name.clone(),
        login: person.upn.clone(),
    })
}

#[cfg(test)]
mod tests {
    use rollcall_simulators::generate::{WorldSpec, world};

    use super::*;

    #[test]
    fn everyone_has_one_part_and_what_it_needs() {
        let mut small = world(&WorldSpec {
            users: 60,
            ..WorldSpec::default()
        });
        let cast = assign_personas(&mut small).unwrap();
        assert_eq!(Cast::of(&small), Some(cast.clone()));
        let all: std::collections::BTreeSet<_> = [
            &cast.global_admin,
            &cast.catalog_admin,
            &cast.with_teams[0],
            &cast.with_teams[1],
            &cast.without_teams,
            &cast.shared,
        ]
        .map(|player| player.object)
        .into();
        assert_eq!(all.len(), 6);
        assert_eq!((small.mailboxes.len(), small.rooms.len()), (4, 3));
        let before = small.clone();
        assign_personas(&mut small);
        assert_eq!(small, before, "a second call changed the world");
    }

    #[test]
    fn too_few_people_play_nothing() {
        let mut empty = World::default();
        assert_eq!(assign_personas(&mut empty), None);
        assert_eq!(empty, World::default());
    }
}
