//! `POST /invitations`: invites guests to the organisation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::{Answer, RequestContext, query};
use crate::call::Reply;
use crate::world::{Person, UserType};

/// Permissions that may invite.
const INVITE: &[&str] = &[
    "User.Invite.All",
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Invitation {
    invited_user_email_address: String,
    invite_redirect_url: String,
    invited_user_display_name: Option<String>,
    #[serde(default)]
    send_invitation_message: bool,
    #[serde(default, rename = "invitedUserMessageInfo")]
    _message: Value,
}

/// Invites one user; a repeated invitation returns the same guest.
pub(super) fn create(context: &mut RequestContext<'_>) -> Answer {
    context.need(INVITE)?;
    let invitation: Invitation = serde_json::from_str(&context.call.body)
        .map_err(|error| GraphError::bad(error.to_string()))?;
    let address = invitation.invited_user_email_address.trim();
    if !address.contains('@') {
        return Err(GraphError::bad("The invited user's address is not valid."));
    }
    if url::Url::parse(&invitation.invite_redirect_url).is_err() {
        return Err(GraphError::bad("The address to redirect to is not valid."));
    }
    let known = context.tenant.account(address);
    let id = match known {
        Some(person) if person.user_type == UserType::Member => {
            let text = "The invited user already exists in the directory as a member.";
            return Err(GraphError::bad(text));
        }
        Some(person) => person.object_id.unwrap_or_default(),
        None => welcome(
            context,
            address,
            invitation.invited_user_display_name.as_deref(),
        ),
    };
    let invitation_id = Uuid::new_v4();
    Ok(Reply::json(
        201,
        json!({
            "@odata.context": query::context_url(context, "invitations/$entity"),
            "id": invitation_id,
            "invitedUserEmailAddress": address,
            "invitedUserDisplayName": invitation.invited_user_display_name,
            "invitedUserType": "Guest",
            "inviteRedirectUrl": invitation.invite_redirect_url,
            "inviteRedeemUrl": format!("{}/entra/redeem?invitation={invitation_id}", context.origin),
            "sendInvitationMessage": invitation.send_invitation_message,
            "status": "PendingAcceptance",
            "invitedUser": {"id": id},
        }),
    ))
}

/// Adds the guest to the directory and returns the id.
fn welcome(context: &mut RequestContext<'_>, address: &str, name: Option<&str>) -> Uuid {
    let id = Uuid::new_v4();
    let tenant = &mut *context.tenant;
    let domain = &tenant.state.world.tenant.domain;
    let person = Person {
        object_id: Some(id),
        lms_id: None,
        upn: format!("{}#EXT#@{domain}", address.replace('@', "_")),
        display_name: name.unwrap_or(address).to_owned(),
        given_name: None,
        surname: None,
        mail: Some(address.to_owned()),
        city: None,
        company: None,
        department: None,
        country: None,
        office: None,
        job_title: None,
        user_type: UserType::Guest,
        account_enabled: true,
        employee_id: None,
        hire_date: None,
        manager: None,
        custom: BTreeMap::new(),
    };
    let people = &mut tenant.state.world.people;
    tenant.index.learn_account(&person, people.len());
    people.push(person);
    id
}
