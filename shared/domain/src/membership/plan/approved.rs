//! The changes that an administrator approved, stored while they are applied.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::MembershipPlan;
use crate::base::ids::ObjectId;

/// The members that an approved plan adds and removes. After a cut-off only a subset of them may be
/// applied without another approval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApprovedChanges {
    adds: BTreeSet<ObjectId>,
    removes: BTreeSet<ObjectId>,
}

/// The length of one id in bytes.
const ID: usize = 16;

impl ApprovedChanges {
    /// Returns the changes of a plan.
    pub fn of(plan: &MembershipPlan) -> Self {
        Self {
            adds: plan.adds.keys().copied().collect(),
            removes: plan.removes.keys().copied().collect(),
        }
    }

    /// Returns true if every change of a plan was approved.
    pub fn cover(&self, plan: &MembershipPlan) -> bool {
        plan.adds.keys().all(|id| self.adds.contains(id))
            && plan.removes.keys().all(|id| self.removes.contains(id))
    }

    /// Returns the stored form: the number of adds as eight bytes, little endian, then the ids of
    /// the adds and of the removes with 16 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = (self.adds.len() as u64).to_le_bytes().to_vec();
        for id in self.adds.iter().chain(&self.removes) {
            bytes.extend_from_slice(id.uuid().as_bytes());
        }
        bytes
    }

    /// Reads the stored form; `None` if it is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, ids) = bytes.split_first_chunk::<8>()?;
        let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
        let (adds, removes) = ids.split_at_checked(count.checked_mul(ID)?)?;
        Some(Self {
            adds: read(adds)?,
            removes: read(removes)?,
        })
    }
}

fn read(bytes: &[u8]) -> Option<BTreeSet<ObjectId>> {
    let (ids, rest) = bytes.as_chunks::<ID>();
    let ids = ids.iter().map(|id| ObjectId::new(Uuid::from_bytes(*id)));
    rest.is_empty().then(|| ids.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn the_stored_form_is_read_again_and_a_damaged_one_is_not() {
        let id = |name: &str| World::object(name);
        let changes = ApprovedChanges {
            adds: [id("a"), id("b")].into(),
            removes: [id("c")].into(),
        };
        let bytes = changes.to_bytes();
        assert_eq!(bytes.len(), 8 + 3 * ID);
        assert_eq!(ApprovedChanges::from_bytes(&bytes), Some(changes));
        for damaged in [&bytes[..7], &bytes[..bytes.len() - 1], &bytes[..24]] {
            assert_eq!(ApprovedChanges::from_bytes(damaged), None);
        }
        let mut more = bytes.clone();
        more[0] = 200;
        assert_eq!(ApprovedChanges::from_bytes(&more), None);
    }
}
