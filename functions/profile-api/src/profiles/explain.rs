//! `GET /v1/profiles/{id}/explain`: why a learner is or is not in a profile's audience.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use rollcall_domain::audience::explain::{Explanation, OtherProfile, explain as explained};
use rollcall_domain::base::ids::{ProfileId, UserId};
use rollcall_domain::snapshot::name_order::Person;
use rollcall_domain::snapshot::search;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::evaluation::Evaluation;
use super::validation::KnownProfiles;
use super::{model, validation};
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery};
use crate::state::{ApiState, now};

/// The query of an explanation.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExplainQuery {
    /// The learner's Learn365 user id, Entra object id or e-mail address.
    user: String,
}

/// An explanation as text and as data.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplanationView {
    /// The explanation as a short text.
    text: String,
    /// The learner.
    person: Person,
    /// The explanation rule by rule.
    explanation: Explanation,
}

/// Explains why a learner is or is not in the audience.
///
/// The response contains the rules that decided it and what would change it.
#[utoipa::path(get, path = "/v1/profiles/{id}/explain", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"), ExplainQuery),
    responses((status = 200, description = "The explanation", body = ExplanationView)))]
pub(crate) async fn explain(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    InQuery(query): InQuery<ExplainQuery>,
) -> Result<Json<ExplanationView>, ApiError> {
    let profile = model::find(&api, caller.tenant, id).await?.profile;
    let data = snapshots::current(&api, caller.tenant).await?;
    let snapshot = &data.snapshot;
    let person = search::exact(snapshot, &query.user).ok_or_else(user_not_found)?;
    let known = validation::needed_profiles(&api, caller.tenant, &profile).await?;
    let evaluation = Evaluation {
        api: &api,
        tenant: caller.tenant,
        data: data.clone(),
        at: now(),
    };
    let others = others(&evaluation, &known, person.id);
    let lookup = |id| others.get(&id).cloned();
    let found = explained(&profile, snapshot, evaluation.at, person.id, &lookup);
    let explanation = found?.ok_or_else(user_not_found)?;
    Ok(Json(ExplanationView {
        text: explanation.to_string(),
        person,
        explanation,
    }))
}

/// Returns for each profile named by overrides whether its audience contains the learner.
fn others(
    evaluation: &Evaluation<'_>,
    known: &KnownProfiles,
    person: UserId,
) -> BTreeMap<ProfileId, OtherProfile> {
    let snapshot = &evaluation.data.snapshot;
    let Some(row) = snapshot.people.row(person) else {
        return BTreeMap::new();
    };
    let held = evaluation.audiences_of(known, row);
    let others = held.into_iter().filter_map(|(id, member)| {
        let title = known.get(&id)?.title.clone();
        Some((id, OtherProfile { title, member }))
    });
    others.collect()
}

fn user_not_found() -> ApiError {
    let detail = "This learner does not exist in Learn365; enter a user id, an Entra object id or a complete e-mail address.";
    ApiError::not_found("no-such-person", detail)
}
