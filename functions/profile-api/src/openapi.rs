//! The `OpenAPI` 3.1 document, generated from the handlers and the table of routes.

use std::collections::BTreeMap;

use axum::Json;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
    Schema,
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
            edit_operation(operation);
        }
    }
    let schemas = document.components.iter_mut();
    schemas
        .flat_map(|components| components.schemas.values_mut())
        .for_each(edit_schema);
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

/// Rewrites the texts of an operation for the readers of the document.
fn edit_operation(operation: &mut Operation) {
    edit(&mut operation.summary);
    edit(&mut operation.description);
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            edit(&mut parameter.description);
        }
    }
}

/// Rewrites the descriptions of a schema and of the schemas in it.
fn edit_schema(schema: &mut RefOr<Schema>) {
    let (description, inner) = match schema {
        RefOr::Ref(reference) => {
            reference.description = readable(&reference.description);
            return;
        }
        RefOr::T(Schema::Object(it)) => (&mut it.description, it.properties.values_mut().collect()),
        RefOr::T(Schema::Array(it)) => match &mut it.items {
            ArrayItems::RefOrSchema(items) => (&mut it.description, vec![items.as_mut()]),
            ArrayItems::False => (&mut it.description, Vec::new()),
        },
        RefOr::T(Schema::OneOf(it)) => (&mut it.description, it.items.iter_mut().collect()),
        RefOr::T(Schema::AllOf(it)) => (&mut it.description, it.items.iter_mut().collect()),
        RefOr::T(Schema::AnyOf(it)) => (&mut it.description, it.items.iter_mut().collect()),
        RefOr::T(_) => return,
    };
    edit(description);
    inner.into_iter().for_each(edit_schema);
}

fn edit(text: &mut Option<String>) {
    *text = text.take().map(|text| readable(&text));
}

/// Returns the text without line breaks inside paragraphs and without requirement ids,
/// which mean nothing to readers of the document.
fn readable(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|part| part.replace('\n', " "));
    let text = paragraphs.collect::<Vec<_>>().join("\n\n");
    let (mut edited, mut rest) = (String::new(), text.as_str());
    while let Some((before, after)) = rest.split_once(" (") {
        edited.push_str(before);
        rest = match after.split_once(')') {
            Some((inside, after)) if is_requirements(inside) => after,
            _ => {
                edited.push_str(" (");
                after
            }
        };
    }
    edited + rest
}

/// Returns true for a list of requirement ids, such as `S4-110…114, X-02`.
fn is_requirements(text: &str) -> bool {
    let mut ids = text.split(", ");
    ids.all(|id| {
        let (group, numbers) = id.split_once('-').unwrap_or_default();
        let group = group.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(group, "S" | "X" | "C") && numbers.starts_with(|c: char| c.is_ascii_digit())
    })
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
        }
        assert!(names.contains("getProfilesIdHold"));
    }

    #[test]
    fn requirement_ids_are_not_published() {
        for (text, published) in [
            (
                "A state (X-02). It\nstays.\n\nNext (S0-08…S0-13) part",
                "A state. It stays.\n\nNext part",
            ),
            (
                "Ids (S3-31, S3-32) and (as here) others (S4-110…114)",
                "Ids and (as here) others",
            ),
            ("Open (end", "Open (end"),
        ] {
            assert_eq!(readable(text), published);
        }
    }
}
