//! Delegated scopes: parsing, comparing, and descriptions for consent pages.

use uuid::Uuid;

use crate::state::TenantState;

/// Scopes of the sign-in itself, not of a resource.
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Returns the scopes of a `scope` parameter, without the resource's URL and without duplicates.
pub(super) fn parse(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for scope in text.split_whitespace() {
        let name = scope.rsplit('/').next().unwrap_or(scope);
        if !contains(&all, name) {
            all.push(name.to_owned());
        }
    }
    all
}

/// Returns whether the scope is in the list; Entra compares scopes ignoring case.
pub(super) fn contains(list: &[String], scope: &str) -> bool {
    list.iter().any(|it| it.eq_ignore_ascii_case(scope))
}

/// Returns whether the scope is only for the sign-in.
pub(super) fn is_openid(scope: &str) -> bool {
    OPENID.iter().any(|it| it.eq_ignore_ascii_case(scope))
}

/// Replaces `.default` by the scopes already consented to, or by the right to sign in.
pub(super) fn expand(asked: &[String], consented: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for scope in asked {
        let meant: Vec<String> = if scope == ".default" {
            let known = consented.iter().filter(|it| !is_openid(it)).cloned();
            known.collect()
        } else {
            vec![scope.clone()]
        };
        let meant = if meant.is_empty() {
            vec!["User.Read".to_owned()]
        } else {
            meant
        };
        for scope in meant {
            if !contains(&all, &scope) {
                all.push(scope);
            }
        }
    }
    all
}

/// Returns the requested scopes without consent.
pub(super) fn missing(
    state: &TenantState,
    client_id: Uuid,
    person: Uuid,
    asked: &[String],
) -> Vec<String> {
    let consented = state.consented_scopes(client_id, person);
    let mut missing = expand(asked, &consented);
    missing.retain(|scope| !contains(&consented, scope));
    missing
}

/// Returns the description of a permission for the consent page.
pub(super) fn words(permission: &str) -> &str {
    match permission {
        "openid" => "Sign you in",
        "profile" => "See your name",
        "email" => "See your mail address",
        "offline_access" => "Keep what you allow here while you are away",
        "User.Read" => "Sign you in and read your own profile",
        "MailboxSettings.Read" => "Read the settings of your mailbox",
        "Mail.Send" => "Send mail from your mailbox",
        "Calendars.ReadWrite" => "Read and change your calendars",
        "Calendars.Read" => "Read your calendars",
        "Calendars.ReadBasic" => "See when your calendars are busy",
        "OnlineMeetings.ReadWrite" => "Read and make your online meetings",
        "Place.Read.All" => "List the rooms of your organization",
        "User.Read.All" => "Read the full profile of everybody",
        "User.ReadBasic.All" => "Read names and addresses of everybody",
        "User.Invite.All" => "Invite guests",
        "Group.Create" => "Make groups",
        "Group.Read.All" => "Read all groups",
        "Group.ReadWrite.All" => "Read and change all groups",
        "GroupMember.Read.All" => "Read who is in which group",
        "GroupMember.ReadWrite.All" => "Change who is in which group",
        "Organization.Read.All" => "Read about your organization",
        "Directory.Read.All" => "Read the whole directory",
        "Directory.ReadWrite.All" => "Read and change the whole directory",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_app::Grant;
    use crate::world::World;

    #[test]
    fn scopes_lose_their_resource_and_default_means_what_was_consented() {
        let asked = parse("https://graph.example/Mail.Send openid  mail.send");
        assert_eq!(asked, ["Mail.Send", "openid"]);
        let default = parse("https://graph.example/.default offline_access");
        assert_eq!(expand(&default, &[]), ["User.Read", "offline_access"]);
        let before = parse("openid Mail.Send");
        assert_eq!(expand(&default, &before), ["Mail.Send", "offline_access"]);
    }

    #[test]
    fn only_what_no_one_consented_to_is_missing() {
        let mut state = TenantState::from(World::default());
        let (app, person) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let grant = Grant::Delegated {
            object: Some(person),
            scopes: parse("openid Mail.Send"),
        };
        state.consent(app, grant, chrono::Utc::now());
        let asked = parse("openid mail.send User.Read");
        assert_eq!(missing(&state, app, person, &asked), ["User.Read"]);
        assert_eq!(missing(&state, app, Uuid::nil(), &asked).len(), 3);
    }
}
