//! The `OpenAPI` 3.1 document, generated from the handlers and the table of routes.

use std::collections::BTreeMap;

use axum::Json;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::access::{Permission, ROUTES, Route};
use rollcall_runtime::ProblemDetails;

/// The name of the security scheme in the document.
const SCHEME: &str = "entra";

/// Returns the `OpenAPI` document.
///
/// No token is required, because the document contains no data.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "Service",
    responses((status = 200, description = "This document", body = serde_json::Value)))]
pub(crate) async fn show() -> Json<OpenApi> {
    Json(document())
}

/// Returns the complete document.
pub fn document() -> OpenApi {
    let (_, mut document) = crate::routes::router().split_for_parts();
    document.info = info();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(
        SCHEME,
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    let name = ProblemDetails::name().into_owned();
    components.schemas.insert(name, ProblemDetails::schema());
    let mut inner = Vec::new();
    ProblemDetails::schemas(&mut inner);
    components.schemas.extend(inner);
    for route in ROUTES {
        let operation = document
            .paths
            .paths
            .get_mut(route.path)
            .and_then(|item| operation(item, route.method));
        if let Some(operation) = operation {
            finish(operation, route);
        }
    }
    document
}

fn info() -> Info {
    let mut info = Info::new("Rollcall", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Manages audiences, their Entra groups and course enrolments. Requests require a Microsoft Entra ID access token for this API; the tenant in the token determines which data is accessed."
            .to_owned(),
    );
    info
}

/// Returns the operation of a method.
pub fn operation<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Adds the permission and the error responses, which follow from the table.
fn finish(operation: &mut Operation, route: &Route) {
    if route.permission != Permission::Public {
        let scheme = SecurityRequirement::new(SCHEME, Vec::<String>::new());
        operation.security = Some(vec![scheme]);
        let roles: Vec<&str> = route
            .permission
            .roles()
            .iter()
            .map(|role| role.name())
            .collect();
        let own = operation.description.take().unwrap_or_default();
        let more = format!(
            "Permission `{}`: {}.",
            route.permission.name(),
            roles.join(", ")
        );
        operation.description = Some(format!("{own}\n\n{more}").trim().to_owned());
    }
    operation.operation_id = Some(operation_id(route));
    for text in [&mut operation.summary, &mut operation.description] {
        *text = text.take().map(|text| for_readers(&text));
    }
    for (status, description) in failures(operation, route) {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(description).into());
    }
}

/// Returns a unique id for the operation, such as `getProfilesIdHold`.
fn operation_id(route: &Route) -> String {
    let words = route.path.trim_start_matches("/v1/");
    let words = words.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    route.method.to_ascii_lowercase() + &words.collect::<String>()
}

/// Returns the text without line breaks inside paragraphs and without requirement ids,
/// which mean nothing to readers of the document.
fn for_readers(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = [" (S0-", " (S1-", " (S4-", " (C-", " (X-"]
        .iter()
        .filter_map(|mark| rest.split_once(mark))
        .min_by_key(|(before, _)| before.len())
    {
        kept.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    kept.push_str(rest);
    let paragraphs = kept.split("\n\n");
    let joined: Vec<String> = paragraphs.map(|part| part.replace('\n', " ")).collect();
    joined.join("\n\n")
}

/// Returns the descriptions of the error responses, by status.
fn failures(operation: &Operation, route: &Route) -> BTreeMap<&'static str, &'static str> {
    let mut all = BTreeMap::from([
        ("400", "The request is malformed"),
        (
            "429",
            "Too many requests; retry after the seconds in Retry-After",
        ),
        ("500", "Internal server error"),
        (
            "503",
            "A service does not respond; retry after the seconds in Retry-After",
        ),
    ]);
    if route.permission != Permission::Public {
        all.insert("401", "The access token is missing or invalid");
        all.insert("403", "The caller or the tenant lacks the permission");
        all.insert("404", "The resource does not exist in the caller's tenant");
        all.insert("409", "The current state does not allow the request");
    }
    if operation.request_body.is_some() {
        all.insert("413", "The body is too large");
        all.insert("415", "The body is not JSON");
        all.insert("422", "Fields are invalid; all are listed");
    }
    let mut parameters = operation.parameters.iter().flatten();
    let is_condition = |parameter: &RefOr<Parameter>| match parameter {
        RefOr::T(parameter) => parameter.name == "If-Match",
        RefOr::Ref(_) => false,
    };
    if parameters.any(is_condition) {
        all.insert("412", "The version in If-Match is stale");
        all.insert("428", "If-Match is missing");
    }
    if route.permission == Permission::ManageSessions {
        all.insert("422", "Fields or the query are invalid; all are listed");
    }
    if route.permission == Permission::ReadProfiles {
        all.insert(
            "422",
            "The audience cannot be determined; all reasons are listed",
        );
    }
    if route.locked {
        all.insert(
            "423",
            "The tenant is locked for maintenance; retry after the seconds in Retry-After",
        );
    }
    all
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemDetails::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn operations_have_names_of_their_own_and_readable_words() {
        let mut document = document();
        let mut names = BTreeSet::new();
        for route in ROUTES {
            let item = document
                .paths
                .paths
                .get_mut(route.path)
                .expect("path missing");
            let operation = operation(item, route.method).expect("operation missing");
            let name = operation
                .operation_id
                .clone()
                .expect("operation id missing");
            assert!(names.insert(name.clone()), "{name}");
            let summary = operation.summary.clone().unwrap_or_default();
            assert!(
                !summary.contains("S4-") && !summary.contains('\n'),
                "{summary}"
            );
        }
        assert!(names.contains("getProfilesIdHold"));
    }
}
