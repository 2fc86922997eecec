//! Discovery: capabilities, resource types and schemas.

use serde_json::{Value, json};

use super::RequestContext;
use super::attribute::{Attr, Type};
use super::error::ScimError;
use super::list;
use super::schema::{COMMON, Kind, Schema};
use super::state::ScimBehaviour;

/// `GET /ServiceProviderConfig`.
pub(super) fn config(context: &RequestContext<'_>) -> Value {
    let can = &context.state.behaviour;
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": can.patch},
        "bulk": {
            "supported": can.bulk,
            "maxOperations": can.max_operations,
            "maxPayloadSize": can.max_payload,
        },
        "filter": {"supported": can.filter, "maxResults": can.max_results},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": can.etag},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication with a bearer token.",
            "primary": true,
        }],
        "meta": meta(context, "ServiceProviderConfig", "ServiceProviderConfig"),
    })
}

/// `GET /ResourceTypes` and a single one.
pub(super) fn resource_types(
    context: &RequestContext<'_>,
    id: Option<&str>,
) -> Result<Value, ScimError> {
    let all = [Kind::User, Kind::Group].map(|kind| {
        let extensions: Vec<Value> = has_extension(&context.state.behaviour, kind)
            .then(|| json!({"schema": kind.extension().urn, "required": false}))
            .into_iter()
            .collect();
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": kind.name(),
            "name": kind.name(),
            "endpoint": format!("/{}", kind.endpoint()),
            "schema": kind.core().urn,
            "schemaExtensions": extensions,
            "meta": meta(context, "ResourceType", &format!("ResourceTypes/{}", kind.name())),
        })
    });
    pick(all.to_vec(), id)
}

/// `GET /Schemas` and a single one.
pub(super) fn schemas(context: &RequestContext<'_>, id: Option<&str>) -> Result<Value, ScimError> {
    let can = &context.state.behaviour;
    let core = [Kind::User, Kind::Group].map(Kind::core);
    let kinds = [Kind::User, Kind::Group].into_iter();
    let extensions = kinds.filter(|kind| has_extension(can, *kind));
    let all = core.into_iter().chain(extensions.map(Kind::extension));
    pick(all.map(|it| schema(context, it)).collect(), id)
}

/// Returns whether the extension of a kind is supported.
pub(super) fn has_extension(can: &ScimBehaviour, kind: Kind) -> bool {
    match kind {
        Kind::User => can.enterprise,
        Kind::Group => can.teams,
    }
}

fn pick(all: Vec<Value>, id: Option<&str>) -> Result<Value, ScimError> {
    let Some(id) = id else {
        let total = all.len();
        return Ok(list::response(all, total, 1));
    };
    let mut all = all.into_iter();
    all.find(|it| it["id"] == json!(id))
        .ok_or_else(|| ScimError::missing(id))
}

fn meta(context: &RequestContext<'_>, kind: &str, path: &str) -> Value {
    json!({"resourceType": kind, "location": format!("{}/{path}", context.base)})
}

fn schema(context: &RequestContext<'_>, schema: &Schema) -> Value {
    let external = COMMON.iter().filter(|it| it.name == "externalId");
    let is_core = schema.urn.contains(":core:");
    let own = external.filter(|_| is_core).chain(schema.attributes);
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.name,
        "attributes": own.map(attribute).collect::<Vec<Value>>(),
        "meta": meta(context, "Schema", &format!("Schemas/{}", schema.urn)),
    })
}

fn attribute(attr: &Attr) -> Value {
    let kind = match attr.kind {
        Type::Text => "string",
        Type::Flag => "boolean",
        Type::Time => "dateTime",
        Type::Reference => "reference",
        Type::Complex => "complex",
    };
    let (mutability, returned) = match (attr.read_only, attr.secret) {
        (true, _) => ("readOnly", "default"),
        (_, true) => ("writeOnly", "never"),
        _ if attr.immutable => ("immutable", "default"),
        _ => ("readWrite", "default"),
    };
    let mut shown = json!({
        "name": attr.name,
        "type": kind,
        "multiValued": attr.multi,
        "description": attr.name,
        "required": attr.required,
        "mutability": mutability,
        "returned": returned,
    });
    match attr.kind {
        Type::Complex => shown["subAttributes"] = attr.sub.iter().map(attribute).collect(),
        Type::Flag => {}
        _ => {
            shown["caseExact"] = json!(attr.exact);
            shown["uniqueness"] = json!(if attr.unique { "server" } else { "none" });
        }
    }
    if attr.kind == Type::Reference {
        let any = ["uri"];
        let kinds = if attr.refers.is_empty() {
            &any
        } else {
            attr.refers
        };
        shown["referenceTypes"] = json!(kinds);
    }
    if attr.kind == Type::Text && !attr.refers.is_empty() {
        shown["canonicalValues"] = json!(attr.refers);
    }
    shown
}
