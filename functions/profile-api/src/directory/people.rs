//! Users of the directory, read live, with their managers (S0-08, S0-11).

use axum::Json;
use axum::extract::State;
use rollcall_clients::graph::DirectoryPerson;
use rollcall_domain::base::ids::ObjectId;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{reader, refused};
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, page_size};
use crate::state::ApiState;

/// The query of a search in the directory.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DirectoryQuery {
    /// The beginning of the name. Default: any name.
    #[serde(default)]
    pub(crate) search: String,
    /// The maximum number of entries, 1 to 200. Default: 50.
    pub(crate) limit: Option<u32>,
}

/// A directory user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DirectoryPerson)]
pub(crate) struct PersonView {
    /// The Entra object id.
    id: Uuid,
    name: String,
    mail: Option<String>,
    department: Option<String>,
    job_title: Option<String>,
    /// True if the account may sign in.
    enabled: bool,
    /// True if the user is a guest.
    guest: bool,
}

/// A directory user with managers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DirectoryPersonWithManagers)]
pub(crate) struct WithManagers {
    #[serde(flatten)]
    person: PersonView,
    /// The chain of managers, nearest first, at most ten.
    managers: Vec<PersonView>,
}

/// The directory users found.
#[derive(Serialize, ToSchema)]
#[schema(as = DirectoryPeople)]
pub(crate) struct People {
    items: Vec<PersonView>,
}

impl From<DirectoryPerson> for PersonView {
    fn from(it: DirectoryPerson) -> Self {
        let name = it.display_name.or(it.user_principal_name);
        Self {
            id: it.id,
            name: name.unwrap_or_else(|| it.id.to_string()),
            mail: it.mail,
            department: it.department,
            job_title: it.job_title,
            enabled: it.account_enabled.unwrap_or(true),
            guest: it.user_type.as_deref() == Some("Guest"),
        }
    }
}

/// Searches users in the directory by the beginning of their names.
#[utoipa::path(get, path = "/v1/directory/users", tag = "Directory", params(DirectoryQuery),
    responses((status = 200, description = "The users found", body = People)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<DirectoryQuery>,
) -> Result<Json<People>, ApiError> {
    let directory = reader(&api, caller.tenant).await?;
    let found = directory
        .people_named(&query.search, page_size(query.limit))
        .await;
    let found = match found {
        Ok(found) => found,
        Err(error) => return Err(refused(&api, caller.tenant, error).await),
    };
    Ok(Json(People {
        items: found.into_iter().map(PersonView::from).collect(),
    }))
}

/// Returns a user of the directory with department and managers.
#[utoipa::path(get, path = "/v1/directory/users/{user}", tag = "Directory",
    params(("user" = ObjectId, Path, description = "The Entra object id")),
    responses((status = 200, description = "The user", body = WithManagers)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(user): InPath<ObjectId>,
) -> Result<Json<WithManagers>, ApiError> {
    let directory = reader(&api, caller.tenant).await?;
    let asked = async {
        let person = directory.person(user).await?;
        Ok((person, directory.managers(user).await?))
    };
    let (person, managers) = match asked.await {
        Ok(found) => found,
        Err(error) => return Err(refused(&api, caller.tenant, error).await),
    };
    let person = person.ok_or(ApiError::Missing)?.into();
    Ok(Json(WithManagers {
        person,
        managers: managers.into_iter().map(PersonView::from).collect(),
    }))
}
