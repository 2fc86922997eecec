//! Deletion, restoration and retraction of a stored profile.

use chrono::{DateTime, Utc};

use super::profile::{Lifecycle, Profile};

/// A change that the maintenance job still has to apply to the LMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleTask {
    /// The profile was deleted (S4-135).
    Deletion,
    /// Its enrolment was switched off (S4-140).
    Retraction,
}

/// Returns the change that has not been applied yet, if any.
pub fn pending(profile: &Profile) -> Option<LifecycleTask> {
    match profile.lifecycle {
        Lifecycle::Deleted { handled: false, .. } => Some(LifecycleTask::Deletion),
        Lifecycle::Deleted { handled: true, .. } => None,
        Lifecycle::Active => {
            (!profile.enroll && !profile.retraction_handled).then_some(LifecycleTask::Retraction)
        }
    }
}

/// Marks a profile as deleted; nothing else changes until the job handles it.
#[must_use]
pub fn delete(mut profile: Profile, at: DateTime<Utc>, by: &str) -> Profile {
    if !profile.is_deleted() {
        profile.lifecycle = Lifecycle::Deleted {
            at,
            by: by.to_owned(),
            handled: false,
            auto_populate_before: profile.auto_populate,
            enroll_before: profile.enroll,
        };
    }
    profile
}

/// Returns the profile to store after the LMS was changed: S4-137 for a deletion, "once" of S4-140
/// for a retraction. Courses, filter and group are retained (S4-138).
#[must_use]
pub fn handled(mut profile: Profile) -> Profile {
    match &mut profile.lifecycle {
        Lifecycle::Deleted { handled, .. } => {
            *handled = true;
            profile.auto_populate = false;
            profile.enroll = false;
        }
        Lifecycle::Active => profile.retraction_handled = true,
    }
    profile
}

/// Restores a deleted profile to its previous state (S4-139, C-22).
#[must_use]
pub fn restore(mut profile: Profile) -> Profile {
    if let Lifecycle::Deleted {
        auto_populate_before,
        enroll_before,
        ..
    } = profile.lifecycle
    {
        profile.auto_populate = auto_populate_before;
        profile.enroll = enroll_before;
        profile.retraction_handled = false;
        profile.lifecycle = Lifecycle::Active;
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, profile, slot};

    /// Proves S4-135, S4-137, S4-138, S4-139: handled once, switched off, data retained,
    /// restorable.
    #[test]
    fn a_deleted_profile_comes_back_as_it_was() {
        let mut original = profile("P");
        original.courses = [World::course_id("A")].into();
        let deleted = delete(original.clone(), slot(), "ada@contoso.example");
        assert_eq!(pending(&deleted), Some(LifecycleTask::Deletion));
        let done = handled(deleted);
        assert_eq!(pending(&done), None);
        assert!(!done.auto_populate && !done.enroll);
        assert_eq!(done.courses, original.courses);
        assert_eq!(restore(done), original);
    }

    /// Proves S4-140: a retraction is applied once.
    #[test]
    fn a_retraction_is_pending_once() {
        let mut retracted = profile("P");
        assert_eq!(pending(&retracted), None);
        retracted.enroll = false;
        assert_eq!(pending(&retracted), Some(LifecycleTask::Retraction));
        assert_eq!(pending(&handled(retracted)), None);
    }
}
