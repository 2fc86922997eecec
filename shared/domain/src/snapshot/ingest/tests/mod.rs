//! Constructed tenants, and random ones compared with a naive implementation over several
//! refreshes.

mod lineage;
mod properties;
mod sets;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, SnapshotId, UserId};
use crate::base::text::clean;
use crate::snapshot::format;
use crate::snapshot::format::Identity;
use crate::snapshot::lms::{
    CourseRow, EnrolmentRow, FieldKind, FieldRow, LmsData, Progress, RoleRow, RoleScope, UserRow,
};
use crate::snapshot::{
    Activity, CourseActivities, Enrolments, Header, Lineage, Property, Snapshot, Source, TextColumn,
};
use crate::testing::{World, day};

/// A tenant that is refreshed repeatedly, through files as in production.
struct Chain {
    last: Option<Snapshot>,
    refreshes: u128,
}

impl Chain {
    fn new() -> Self {
        Self {
            last: None,
            refreshes: 0,
        }
    }

    fn refresh(&mut self, data: LmsData) -> (Option<Snapshot>, &Snapshot) {
        self.refreshes += 1;
        let header = Header {
            id: SnapshotId::new(day("2026-01-01"), Uuid::from_u128(self.refreshes << 100)),
            tenant: World::tenant(),
            taken_at: day("2026-01-01"),
        };
        let sets = Sets::of(data).expect("data rejected as too large");
        let file = self
            .last
            .as_ref()
            .map(|last| format::encode(last).expect("snapshot not encoded"));
        let file = file
            .as_ref()
            .map(|file| format::SnapshotReader::open(file).expect("file not opened"));
        let built = sets.into_snapshot(header, EntraSet::default(), file.as_ref());
        assert!(built.unread.is_none());
        let before = self.last.replace(built.snapshot);
        (before, self.last.as_ref().expect("snapshot not stored"))
    }
}

fn user_id(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}
