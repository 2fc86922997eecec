//! All variants of enums without fields in stored or queued documents.

use rollcall_domain::audience::profile::Retraction;
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::audit::Action;
use rollcall_domain::base::ids::CourseId;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::connection::entitlement::Plan;
use rollcall_domain::connection::{Capability, Cause, ConnectionStatus, Fault, Remedy};
use rollcall_domain::course_session::{RoomAnswer, SessionStatus};
use rollcall_domain::membership::plan::{AddReason, RemoveReason};
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::notices::delivery::MessageStatus;
use rollcall_domain::notices::{Language, Urgency};
use rollcall_domain::rules::MatchMode;
use rollcall_domain::snapshot::Property;
use rollcall_domain::snapshot::lms::{FieldKind, Progress};
use serde_json::json;

use super::every;
use crate::frozen::samples::at;

#[test]
fn of_tenants_and_jobs() {
    insta::assert_json_snapshot!(json!({
        "a plan": every!(Plan: Standard, SuccessPlus, SuccessPremium),
        "how far a tenant is": every!(Onboarding: AwaitingFirstRefresh, Ready),
        "a job": every!(Job: Refresh, Maintenance, Membership, DirectorySync),
        "a job in names of runs": Job::ALL.map(|job| job.to_string()),
        "how a run ended": every!(
            RunStatus: Running, Continuing, Succeeded, SucceededWithFailures, Skipped, Failed
        ),
    }));
}

#[test]
fn of_profiles() {
    insta::assert_json_snapshot!(json!({
        "how a profile leaves the platform": every!(Retraction: LeaveCatalogs, CoursesOnly),
        "how sections combine": every!(MatchMode: All, Any),
        "how a profile stands": every!(
            ProfileStatus: Synchronised, Held, NeedsReview, Failed, Unmanaged, Unfinished, Deleted
        ),
        "why somebody joins": every!(AddReason: MatchesRules, Included),
        "why somebody leaves": every!(RemoveReason: NotInAudience, NotALearner, NotAPerson),
        "a property": every!(
            Property: City, Company, Department, Country, Office, JobTitle, Email, Title
        ),
        "what a field holds": every!(FieldKind: Text, Boolean, Number, Date),
        "how far a learner is": every!(Progress: Completed, NotStarted, InProgress),
        "a course by its id alone": super::written(&CourseId::new(uuid::Uuid::from_u128(1))),
    }));
}

#[test]
fn of_connections() {
    insta::assert_json_snapshot!(json!({
        "how a connection stands": every!(
            ConnectionStatus: NotConfigured, PendingConsent, Connected, Degraded, ConsentOutdated,
            SecretExpiring, Error, Paused, Disconnected
        ),
        "what an account can do": every!(
            Capability: Directory, Guests, Groups, Learning, Mail, Rooms, Meetings
        ),
        "who has to act": every!(
            Remedy: Reconnect, OtherAccount, Consent, AskAdministrator, Operators, Wait
        ),
        "why Microsoft refused": every!(
            Cause: GrantRevoked, GrantExpired, SignInFrequency, AccountDisabled, AccountGone,
            SecondFactor, ConditionalAccess, ConsentMissing, Declined, AdminApproval, AppUnknown,
            AppDisabled, NotAssigned, WrongAccount, OtherPerson, TenantUnknown, OurCredential,
            OurRequest, StartAgain, NotYetKnown, Transient, SharedMailbox, NoCloudMailbox,
            MailRefused, Other
        ),
    }));
}

/// Faults are stored with their message and remedy at that time.
#[test]
fn faults_of_every_cause() {
    let faults = Cause::ALL.map(|cause| Fault::new(cause, None, at(0)));
    insta::assert_json_snapshot!(faults);
}

#[test]
fn of_mails_and_sessions() {
    insta::assert_json_snapshot!(json!({
        "where a mail stands": every!(MessageStatus: Queued, Held, Retrying, Doubtful, Failed),
        "how urgent a notice is": every!(Urgency: Urgent, Normal, Bulk),
        "a language": every!(Language: English, German, French, Spanish, Dutch, Danish),
        "whether a session takes place": every!(SessionStatus: Scheduled, Cancelled),
        "what a room says": every!(RoomAnswer: NoRoom, Waiting, Accepted, Declined),
    }));
}

#[test]
fn of_audit_events() {
    insta::assert_json_snapshot!(every!(
        Action: SettingsSaved, CredentialReplaced, ProfileCreated, ProfileUpdated,
        CoursesChanged, ProfileDeleted, ProfileRestored, HoldApproved, HoldDiscarded,
        MembersDownloaded, RunStarted, EntitlementChanged, InstallationChanged,
        ConnectionBegun, ConnectionMade, ConnectionRefused, ConnectionLost, ConnectionSaved,
        ConnectionEnded, ConnectionEndRefused, GuestInvited, GroupAdded, SessionScheduled,
        SessionChanged, SessionCancelled, SyncSaved, SyncTested, SyncConnected, SyncActivated,
        SyncDeactivated, SyncDisconnected, SyncDecided, SyncApproved, SyncScheduled
    ));
}
