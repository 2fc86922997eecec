//! Reads the current state of the tracked part of the directory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::super::user_fields::Field;
use super::super::{RequestContext, groups};
use super::book::{Known, Snapshot};
use super::options::{Options, Which};
use crate::world::{EntraGroup, Person};

/// Returns every object in scope: the ids in the directory's order, and the state to store.
pub(super) fn all(context: &RequestContext<'_>, options: &Options) -> (Vec<Uuid>, Snapshot) {
    let state = &context.tenant.state;
    let mut order = Vec::new();
    let mut now = Snapshot::default();
    let mut learn = |id: Uuid, known: Known| {
        order.push(id);
        now.live.insert(id, known);
    };
    match options.which {
        Which::Users => {
            let people = context.tenant.index.entra.iter();
            let people = people.map(|at| &state.world.people[*at]);
            for person in people {
                if let Some(id) = person.object_id.filter(|id| options.includes(*id)) {
                    learn(id, user(context, options, person));
                }
            }
            let deleted = state.deleted_users.iter();
            let deleted = deleted.filter_map(|it| it.person.object_id);
            now.soft = deleted.filter(|id| options.includes(*id)).collect();
        }
        Which::Groups => {
            for it in state
                .world
                .groups
                .iter()
                .filter(|it| options.includes(it.id))
            {
                learn(it.id, group(context, options, it));
            }
            let deleted = state.deleted_groups.iter().map(|it| it.group.id);
            now.soft = deleted.filter(|id| options.includes(*id)).collect();
        }
    }
    (order, now)
}

fn user(context: &RequestContext<'_>, options: &Options, person: &Person) -> Known {
    let mut hasher = DefaultHasher::new();
    let mut ever = 0;
    for (place, property) in options.users.iter().enumerate() {
        let field = property.of(&context.tenant.state, person);
        ever |= u32::from(field != Field::Null) << place;
        field.hash(&mut hasher);
    }
    let manager = person
        .manager
        .filter(|id| options.links && context.tenant.index.by_object.contains_key(id));
    Known {
        hash: hasher.finish(),
        ever,
        links: manager.into_iter().collect(),
    }
}

fn group(context: &RequestContext<'_>, options: &Options, group: &EntraGroup) -> Known {
    let row = groups::shape(context, group);
    let mut hasher = DefaultHasher::new();
    let mut ever = 0;
    for (place, property) in options.groups.iter().enumerate() {
        let value = row.get(property).unwrap_or(&Value::Null);
        ever |= u32::from(!value.is_null()) << place;
        value.to_string().hash(&mut hasher);
    }
    let links = if options.links {
        group.members.iter().copied().collect()
    } else {
        Arc::default()
    };
    Known {
        hash: hasher.finish(),
        ever,
        links,
    }
}
