//! Reads the connected account: identity, licences and kind of mailbox.

use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use uuid::{Uuid, uuid};

use super::{Mailbox, NO_MAILBOX};
use crate::http::ApiError;

/// Service plans with a mailbox of Exchange Online Plan 1 or better. The service name "exchange"
/// alone is not sufficient: nearly every licence has Exchange plans without a mailbox
/// (`EXCHANGE_S_FOUNDATION`, archives, Bookings). Ids from
/// <https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference>.
const MAILBOX_PLANS: [Uuid; 6] = [
    uuid!("9aaf7827-d63c-4b61-89c3-182f06f82e5c"), // EXCHANGE_S_STANDARD: Plan 1
    uuid!("efb87545-963c-4e0d-99df-69c6916d9eb0"), // EXCHANGE_S_ENTERPRISE: Plan 2
    uuid!("e9b4930a-925f-45e2-ac2a-3f7788ca6fdd"), // EXCHANGE_S_STANDARD_GOV
    uuid!("8c3069c0-ccdb-44be-ab77-986203a67df2"), // EXCHANGE_S_ENTERPRISE_GOV
    uuid!("fc52cc4b-ed7d-472d-bbe7-b081c23ecc56"), // EXCHANGE_S_STANDARD_MIDMARKET
    uuid!("1126bef5-da20-4f07-b45e-ad25d2581aa8"), // EXCHANGE_S_ESSENTIALS
];
/// `EXCHANGE_S_DESKLESS`: a mailbox, but less than Plan 1. Source as above.
const KIOSK_PLAN: Uuid = uuid!("4a82b400-a79f-41a4-b4e2-e94f5787b113");
/// `TEAMS1`. Source as above.
const TEAMS_PLAN: Uuid = uuid!("57ff2da0-773e-42df-b2af-ffb7a2317929");
/// The service of all Teams plans.
const TEAMS_SERVICE: &str = "TeamspaceAPI";

/// Identity and licences of the connected account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its id in the directory, which never changes.
    pub object: ObjectId,
    /// Its mail address, if the directory has one.
    pub address: Option<String>,
    /// Its display name.
    pub name: String,
    /// Its sign-in name.
    pub upn: String,
    /// True if it has Exchange Online Plan 1 or better (S1-10).
    pub exchange: bool,
    /// True if it has the kiosk mailbox, which is less than Plan 1.
    pub kiosk: bool,
    /// True if it has Microsoft Teams (S1-11).
    pub teams: bool,
}

/// The kind of mailbox of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxPurpose {
    /// A user's own mailbox.
    User,
    /// A shared mailbox; it cannot be connected (S1-12).
    Shared,
    /// A room's mailbox.
    Room,
    /// Any other kind, as named by Graph: `equipment`, `linked`, `others`.
    Other(String),
    /// No mailbox accessible to Graph: inactive, soft-deleted or on premises.
    NotInCloud,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    id: Uuid,
    display_name: Option<String>,
    mail: Option<String>,
    user_principal_name: String,
    #[serde(default)]
    assigned_plans: Vec<Plan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    capability_status: Option<String>,
    service: Option<String>,
    service_plan_id: Option<Uuid>,
}

impl Plan {
    /// Plans in their grace period (`Warning`) still work.
    fn works(&self) -> bool {
        let status = self.capability_status.as_deref();
        status.is_some_and(|status| ["Enabled", "Warning"].contains(&status))
    }

    fn is_teams(&self) -> bool {
        let service = self.service.as_deref();
        self.service_plan_id == Some(TEAMS_PLAN)
            || service.is_some_and(|service| service.eq_ignore_ascii_case(TEAMS_SERVICE))
    }
}

impl From<Me> for AccountFacts {
    fn from(me: Me) -> Self {
        let working = || me.assigned_plans.iter().filter(|plan| plan.works());
        let ids = || working().filter_map(|plan| plan.service_plan_id);
        let (exchange, kiosk, teams) = (
            ids().any(|id| MAILBOX_PLANS.contains(&id)),
            ids().any(|id| id == KIOSK_PLAN),
            working().any(Plan::is_teams),
        );
        Self {
            object: ObjectId::new(me.id),
            address: me.mail.filter(|mail| !mail.is_empty()),
            name: me.display_name.unwrap_or_default(),
            upn: me.user_principal_name,
            exchange,
            kiosk,
            teams,
        }
    }
}

impl Mailbox {
    /// Returns the account. Needs `User.Read`:
    /// <https://learn.microsoft.com/graph/api/user-get>.
    pub async fn account(&self) -> Result<AccountFacts, ApiError> {
        let tail = "/v1.0/me?$select=id,displayName,mail,userPrincipalName,assignedPlans";
        let me: Me = self.get(tail).await?.json("an account")?;
        Ok(me.into())
    }

    /// Returns the kind of mailbox. Needs `MailboxSettings.Read`:
    /// <https://learn.microsoft.com/graph/api/user-get-mailboxsettings>.
    pub async fn purpose(&self) -> Result<MailboxPurpose, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Settings {
            user_purpose: String,
        }
        let answer = match self
            .get("/v1.0/me/mailboxSettings?$select=userPurpose")
            .await
        {
            Err(error) if error.status() == Some(404) && error.code() == Some(NO_MAILBOX) => {
                return Ok(MailboxPurpose::NotInCloud);
            }
            other => other?,
        };
        let Settings { user_purpose } = answer.json("mailbox settings")?;
        Ok(match user_purpose.as_str() {
            "user" => MailboxPurpose::User,
            "shared" => MailboxPurpose::Shared,
            "room" => MailboxPurpose::Room,
            _ => MailboxPurpose::Other(user_purpose),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{connected, error, parts};
    use super::*;
    use crate::http::testing::reply;

    async fn account(plans: &str) -> AccountFacts {
        let body = format!(
            r#"{{"id":"00000000-0000-0000-0000-000000000001","displayName":"Kay","mail":"kay@contoso.com",
                "userPrincipalName":"kay@contoso.onmicrosoft.com","assignedPlans":[{plans}]}}"#
        );
        let (stub, mailbox) = connected(move |_| reply(200, "", &body)).await;
        let facts = mailbox.account().await.expect("not read");
        let asked = stub.requests();
        assert_eq!(
            parts(&asked[0]).0,
            "GET /v1.0/me?$select=id,displayName,mail,userPrincipalName,assignedPlans"
        );
        assert!(asked[0].contains("authorization: Bearer a-token"));
        facts
    }

    fn plan(service: &str, status: &str, id: Uuid) -> String {
        format!(
            r#"{{"service":"{service}","capabilityStatus":"{status}","servicePlanId":"{id}","assignedDateTime":null}}"#
        )
    }

    /// Proves S1-10 and S1-11: only active plans count, and only those with a mailbox.
    #[tokio::test]
    async fn licences_are_distinguished() {
        let none = account("").await;
        assert!(!none.exchange && !none.kiosk && !none.teams);
        assert_eq!(none.address.as_deref(), Some("kay@contoso.com"));
        let both = [
            plan("exchange", "Enabled", MAILBOX_PLANS[0]),
            plan("TeamspaceAPI", "Warning", Uuid::from_u128(9)),
        ];
        let whole = account(&both.join(",")).await;
        assert!(whole.exchange && !whole.kiosk && whole.teams);
        let kiosk = account(&plan("exchange", "Enabled", KIOSK_PLAN)).await;
        assert!(!kiosk.exchange && kiosk.kiosk && !kiosk.teams);
        let ended = account(&plan("exchange", "Suspended", MAILBOX_PLANS[1])).await;
        assert!(!ended.exchange);
        let foundation = uuid!("113feb6c-3fe4-4440-bddc-54d774bf0318");
        let hollow = account(&plan("exchange", "Enabled", foundation)).await;
        assert!(!hollow.exchange, "nearly every licence includes this plan");
    }

    async fn purpose(status: u16, body: String) -> Result<MailboxPurpose, ApiError> {
        let (stub, mailbox) = connected(move |_| reply(status, "", &body)).await;
        let purpose = mailbox.purpose().await;
        assert_eq!(
            parts(&stub.requests()[0]).0,
            "GET /v1.0/me/mailboxSettings?$select=userPurpose"
        );
        purpose
    }

    /// Proves S1-12: a shared mailbox is recognised.
    #[tokio::test]
    async fn the_kind_of_the_mailbox_is_read() {
        for (word, expected) in [
            ("user", MailboxPurpose::User),
            ("shared", MailboxPurpose::Shared),
            ("room", MailboxPurpose::Room),
            ("equipment", MailboxPurpose::Other("equipment".into())),
        ] {
            let body = format!(r#"{{"userPurpose":"{word}"}}"#);
            assert_eq!(purpose(200, body).await.expect("no purpose"), expected);
        }
        let none = purpose(404, error(NO_MAILBOX)).await;
        assert_eq!(none.expect("no purpose"), MailboxPurpose::NotInCloud);
        let other = purpose(404, error("ResourceNotFound")).await;
        assert_eq!(other.expect_err("no error").status(), Some(404));
    }
}
