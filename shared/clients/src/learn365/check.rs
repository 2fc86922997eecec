//! Tests an API key with read requests only: validity, access level and tenant.
//!
//! Decision 0011 explains the requests and what each response proves.

use std::collections::BTreeSet;

use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::connection::{Check, CheckId, LMS_KEY, LMS_URL};

use super::Learn365;
use super::convert::entra_account;
use super::wire::{Outline, Rows, WireUser};
use super::write::KeyLevel;
use crate::http::{ApiError, position, within};

/// Users read at one position of the user list. Three positions give up to sixty users, so that a
/// range of users who left the organisation does not dominate the sample.
const AT_ONE_PLACE: u64 = 20;

/// The result of testing a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTest {
    /// The checks of address, key and level. Whether the key belongs to the tenant can only be
    /// decided with the tenant's directory.
    pub checks: Vec<Check>,
    /// Entra accounts of a sample of users visible to the key, to be looked up in that directory:
    /// at most sixty, without groups.
    pub people: Vec<ObjectId>,
}

impl Learn365 {
    /// Tests address, key and level. Returns a result for every check, at the latest at the
    /// deadline of [`Learn365::with_deadline`].
    ///
    /// `elsewhere` is a client with the same key for the address that determines a key's region; it
    /// distinguishes a wrong region from a wrong key.
    pub async fn verify_key(&self, elsewhere: Option<&Self>) -> KeyTest {
        let (checks, people) = match within(self.deadline, self.some_people()).await {
            Some(Ok(people)) => (self.accepted().await, people),
            Some(Err(error)) => (self.refused(&error, elsewhere).await, Vec::new()),
            None => {
                let late = "Learn365 did not answer in time. Try again in some minutes.";
                (silent(late), Vec::new())
            }
        };
        KeyTest { checks, people }
    }

    async fn accepted(&self) -> Vec<Check> {
        let level = within(self.deadline, self.key_level()).await;
        vec![
            Check::passed(CheckId::Learn365Address, "The Learn365 API responds there."),
            Check::passed(CheckId::Learn365Key, "Learn365 accepts the API key."),
            level_check(level),
        ]
    }

    async fn refused(&self, error: &ApiError, elsewhere: Option<&Self>) -> Vec<Check> {
        match error.status() {
            Some(401) => match elsewhere {
                Some(other) if other.accepts_key().await => wrong_region(),
                Some(_) => wrong_key("neither at this address nor at the one for all regions"),
                None => wrong_key("at this address"),
            },
            Some(403) => unreadable(),
            Some(status) if status == 404 || (300..400).contains(&status) => wrong_address(),
            _ if matches!(error, ApiError::Decode { .. }) => wrong_address(),
            _ => silent(&format!("Learn365 returned no usable response ({error}).")),
        }
    }

    async fn accepts_key(&self) -> bool {
        let asked = self.page_of_people(0);
        matches!(within(self.deadline, asked).await, Some(Ok(_)))
    }

    /// Returns users with an Entra account from the start, the middle and the end of the user list.
    /// Only the first page is required.
    async fn some_people(&self) -> Result<Vec<ObjectId>, ApiError> {
        let (mut people, count) = self.page_of_people(0).await?;
        if count > AT_ONE_PLACE {
            let (middle, end) = tokio::join!(
                self.page_of_people(count / 2),
                self.page_of_people(count - AT_ONE_PLACE),
            );
            let more = [middle, end].into_iter().flatten();
            people.extend(more.flat_map(|(people, _)| people));
        }
        Ok(people.into_iter().collect())
    }

    /// Returns the Entra accounts on one page of the user list, and the length of the list.
    async fn page_of_people(&self, skip: u64) -> Result<(BTreeSet<ObjectId>, u64), ApiError> {
        let tail = format!(
            "/odata/v2/Users?$count=true&$top={AT_ONE_PLACE}&$skip={skip}\
             &$select=Id,LoginName,DirectoryObjectId"
        );
        let answer = self
            .get(&self.base.join(&tail), self.http.request_timeout())
            .await?;
        let broken = |error| answer.not("a page of the user list", position(&error));
        let outline: Outline = serde_json::from_slice(&answer.body).map_err(broken)?;
        let page: Rows<WireUser<'_>> = serde_json::from_slice(&answer.body).map_err(broken)?;
        let people = page.value.into_iter().filter_map(entra_account).collect();
        Ok((people, outline.count.unwrap_or(0)))
    }
}

fn level_check(level: Option<Result<KeyLevel, ApiError>>) -> Check {
    let id = CheckId::Learn365KeyLevel;
    match level {
        Some(Ok(KeyLevel::FullControl)) => Check::passed(
            id,
            "The key may write: Learn365 refused a test enrolment because there is no such \
             course, not because of the key.",
        ),
        Some(Ok(KeyLevel::ReadOnly)) => Check::failed(
            id,
            "The key is Read Only. Full Control is needed because groups are enrolled in courses \
             and unenrolled, and added to course catalogs and removed from them. Change the key's \
             permissions in the Learn365 Admin Center under Global Settings, API key management.",
        )
        .at(LMS_KEY),
        Some(Err(error)) => Check::not_checked(id, format!("This could not be checked ({error}).")),
        None => Check::not_checked(id, "Learn365 did not answer in time."),
    }
}

/// Every region rejects an unknown key this way, so the address remains unverified.
fn wrong_key(place: &str) -> Vec<Check> {
    let address =
        "A service responds there, but only an accepted key shows that it is your region.";
    let key = format!(
        "Learn365 does not accept the key ({place}). It was revoked or mistyped, or belongs to \
         another region or cloud. The Learn365 Admin Center lists the active keys under Global \
         Settings, API key management."
    );
    vec![
        Check::not_checked(CheckId::Learn365Address, address),
        Check::failed(CheckId::Learn365Key, key).at(LMS_KEY),
        Check::not_checked(CheckId::Learn365KeyLevel, "The key is not accepted."),
    ]
}

fn wrong_region() -> Vec<Check> {
    let address = "The key belongs to another region: it is refused at this address and accepted \
                   at the one for all regions. Leave the address empty, or enter your region's.";
    let reason = "The address belongs to another region.";
    vec![
        Check::failed(CheckId::Learn365Address, address).at(LMS_URL),
        Check::not_checked(CheckId::Learn365Key, reason),
        Check::not_checked(CheckId::Learn365KeyLevel, reason),
    ]
}

fn unreadable() -> Vec<Check> {
    let key = "Learn365 knows the key but does not let it read the user list. Create a key with \
               Full Control in the Learn365 Admin Center under Global Settings, API key \
               management.";
    vec![
        Check::passed(CheckId::Learn365Address, "The Learn365 API responds there."),
        Check::failed(CheckId::Learn365Key, key).at(LMS_KEY),
        Check::not_checked(CheckId::Learn365KeyLevel, "The key may not read."),
    ]
}

fn wrong_address() -> Vec<Check> {
    let address = "The service at this address is not the Learn365 API. Leave the address empty, \
                   or enter your region's.";
    let reason = "The address is not Learn365's.";
    vec![
        Check::failed(CheckId::Learn365Address, address).at(LMS_URL),
        Check::not_checked(CheckId::Learn365Key, reason),
        Check::not_checked(CheckId::Learn365KeyLevel, reason),
    ]
}

fn silent(reason: &str) -> Vec<Check> {
    let ids = [
        CheckId::Learn365Address,
        CheckId::Learn365Key,
        CheckId::Learn365KeyLevel,
    ];
    ids.map(|id| Check::not_checked(id, reason)).into()
}
