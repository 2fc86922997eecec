//! The profile schema: the options of the rule editor, in react-querybuilder's field-configuration
//! format (S4-099, S4-089d).

mod operators;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lms::{CourseRow, FieldKind};
use crate::base::ids::{CatalogId, CourseId};
use crate::base::text::fold;
use operators::{ACTIVITY, BOOLEAN, DATE, NUMBER, TEXT, operators};

use super::{Header, Property, Snapshot, Source};

pub use operators::Operator;

/// The maximum number of suggested values per field; longer lists are impractical to scroll.
pub const MAX_SUGGESTIONS: usize = 1_000;

/// The content of the editor's drop-down lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The snapshot that the schema describes.
    #[serde(flatten)]
    pub header: Header,
    /// Fields of user properties.
    pub properties: Vec<SchemaField>,
    /// Fields of user dates; empty if there is no date column (S4-078).
    pub dates: Vec<SchemaField>,
    /// Fields of user activities: the courses.
    pub activities: Vec<SchemaField>,
    /// Courses that can be selected.
    pub courses: Vec<SchemaCourse>,
    /// The catalogs that contain the courses.
    pub catalogs: Vec<Catalog>,
}

/// One field in react-querybuilder's configuration format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Field))]
#[serde(rename_all = "camelCase")]
pub struct SchemaField {
    /// The name that rules use.
    pub name: String,
    /// The label shown to users.
    pub label: String,
    /// `text`, `number`, `datetime-local`, or empty for fields without a value.
    pub input_type: String,
    /// The available operators; the first one is the default.
    pub operators: Vec<Operator>,
    /// The default condition (S4-073, S4-080, S4-085).
    pub default_operator: String,
    /// Values that occur, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Suggestion>,
}

/// One value that occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suggestion {
    /// The value.
    pub name: String,
    /// The value with its count, as shown to users.
    pub label: String,
    /// The number of learners with this value.
    pub count: u32,
}

/// One selectable course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Course))]
pub struct SchemaCourse {
    /// Its id.
    pub id: CourseId,
    /// Its title.
    pub title: String,
    /// Its catalog.
    pub catalog: CatalogId,
    /// True if learners can see it.
    pub published: bool,
}

impl SchemaCourse {
    /// Returns the course in the form used by the editor.
    pub fn of(course: &CourseRow) -> Self {
        Self {
            id: course.id,
            title: course.title.clone(),
            catalog: course.catalog,
            published: course.published,
        }
    }
}

/// One catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Catalog {
    /// Its id.
    pub id: CatalogId,
    /// Its title.
    pub title: String,
}

/// Builds the schema of a snapshot.
pub fn build(snapshot: &Snapshot) -> Schema {
    let (properties, dates) = value_fields(snapshot);
    Schema {
        header: snapshot.header.clone(),
        properties,
        dates,
        activities: snapshot
            .courses
            .iter()
            .map(|course| activity(course.id, &course.title))
            .collect(),
        courses: snapshot.courses.iter().map(SchemaCourse::of).collect(),
        catalogs: snapshot
            .catalogs
            .iter()
            .map(|catalog| Catalog {
                id: catalog.id,
                title: catalog.title.clone(),
            })
            .collect(),
    }
}

/// Returns the fields about the learner: those of user properties and those of user dates.
fn value_fields(snapshot: &Snapshot) -> (Vec<SchemaField>, Vec<SchemaField>) {
    let built_in = Property::ALL.map(|property| {
        (
            Source::Property(property),
            property.name().to_owned(),
            property.label().to_owned(),
            FieldKind::Text,
        )
    });
    let custom = snapshot
        .fields
        .iter()
        .filter(|field| !field.predefined)
        .map(|field| {
            (
                Source::Custom(field.id),
                format!("custom:{}", field.id),
                field.title.clone(),
                field.kind,
            )
        });
    let entra = snapshot.entra_properties.iter().map(|(name, kind)| {
        (
            Source::Entra(name.clone()),
            format!("entra:{name}"),
            format!("Entra ID: {name}"),
            *kind,
        )
    });
    let (mut properties, mut dates) = (Vec::new(), Vec::new());
    for (source, name, label, kind) in built_in.into_iter().chain(custom).chain(entra) {
        let field = field(name, label, kind, suggestions(snapshot, &source, kind));
        if kind == FieldKind::Date {
            dates.push(field);
        } else {
            properties.push(field);
        }
    }
    (properties, dates)
}

fn field(name: String, label: String, kind: FieldKind, values: Vec<Suggestion>) -> SchemaField {
    let (table, input_type) = match kind {
        FieldKind::Text => (TEXT, "text"),
        FieldKind::Number => (NUMBER, "number"),
        FieldKind::Boolean => (BOOLEAN, "text"),
        FieldKind::Date => (DATE, "datetime-local"),
    };
    SchemaField {
        name,
        label,
        input_type: input_type.to_owned(),
        operators: operators(table),
        default_operator: table[0].0.to_owned(),
        values,
    }
}

fn activity(id: CourseId, title: &str) -> SchemaField {
    SchemaField {
        name: format!("course:{id}"),
        label: title.to_owned(),
        input_type: String::new(),
        operators: operators(ACTIVITY),
        default_operator: ACTIVITY[0].0.to_owned(),
        values: Vec::new(),
    }
}

fn suggestions(snapshot: &Snapshot, source: &Source, kind: FieldKind) -> Vec<Suggestion> {
    // E-mail addresses, names and times are not selected from a list.
    let personal = matches!(source, Source::Property(Property::Email | Property::Title));
    let Some(column) = snapshot
        .people
        .texts
        .get(source)
        .filter(|_| !personal && kind != FieldKind::Date)
    else {
        return Vec::new();
    };
    // Rules compare case-insensitively: all spellings of a value form one suggestion, written in
    // the most frequent spelling.
    let mut values: BTreeMap<String, (u32, u32, &str)> = BTreeMap::new();
    let counted = column.counts().into_iter().skip(1);
    for (count, text) in counted.zip(column.dictionary().iter()) {
        let Some(folded) = fold(text) else { continue };
        let (sum, most, spelling) = values.entry(folded).or_insert((0, 0, text));
        *sum += count;
        if count > *most {
            (*most, *spelling) = (count, text);
        }
    }
    let mut values: Vec<_> = values.into_values().collect();
    values.sort_by(|(a_sum, _, a), (b_sum, _, b)| b_sum.cmp(a_sum).then_with(|| a.cmp(b)));
    values
        .into_iter()
        .take(MAX_SUGGESTIONS)
        .map(|(count, _, value)| Suggestion {
            name: value.to_owned(),
            label: format!("{value} ({count})"),
            count,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn world() -> World {
        let mut world = World::new();
        world
            .person("Ada")
            .with("city", "Denver")
            .with("email", "ada@contoso.example");
        world.person("Grace").with("city", "Denver");
        world.person("Alan").with("city", "Oslo");
        world.person("Edsger").with("city", "DENVER");
        world.course("Security 101");
        world
    }

    /// Proves S4-070, S4-071, S4-073 and S4-089d.
    #[test]
    fn the_eight_properties_come_first_then_custom_ones() {
        let mut world = world();
        world.field("Cost Centre", FieldKind::Text);
        let schema = build(&world.snapshot());
        let labels: Vec<_> = schema
            .properties
            .iter()
            .map(|field| field.label.as_str())
            .collect();
        assert_eq!(
            labels,
            [
                "City",
                "Company",
                "Department",
                "Country",
                "Office",
                "Job Title",
                "Email",
                "Title",
                "Cost Centre"
            ]
        );
        assert!(
            schema
                .properties
                .iter()
                .all(|field| field.default_operator == "=")
        );
        let cities: Vec<_> = schema.properties[0]
            .values
            .iter()
            .map(|value| value.label.as_str())
            .collect();
        assert_eq!(
            cities,
            ["Denver (3)", "Oslo (1)"],
            "spellings counted separately"
        );
        assert!(schema.properties[6].values.is_empty());
        assert_eq!(schema.courses[0].title, "Security 101");
        assert_eq!(schema.activities[0].default_operator, "completed");
    }

    /// Proves S4-077, S4-078 and S4-080: dates come from custom date columns only.
    #[test]
    fn without_a_date_column_there_is_no_date_field() {
        let mut world = world();
        assert!(build(&world.snapshot()).dates.is_empty());
        world.field("Hire Date", FieldKind::Date);
        let dates = build(&world.snapshot()).dates;
        assert_eq!(
            (dates[0].label.as_str(), dates[0].default_operator.as_str()),
            ("Hire Date", "before")
        );
    }

    /// The rules accept every operator that the schema offers.
    #[test]
    fn the_rules_accept_what_the_editor_offers() {
        let mut world = world();
        for (title, kind) in [
            ("T", FieldKind::Text),
            ("N", FieldKind::Number),
            ("B", FieldKind::Boolean),
            ("D", FieldKind::Date),
        ] {
            world.field(title, kind);
        }
        let snapshot = world.snapshot();
        let fields = crate::rules::Fields::of(&snapshot);
        let schema = build(&snapshot);
        for (section, offered) in [
            ("properties", &schema.properties),
            ("dates", &schema.dates),
            ("activities", &schema.activities),
        ] {
            for (field, operator) in offered.iter().flat_map(|field| {
                field
                    .operators
                    .iter()
                    .map(move |operator| (field, operator))
            }) {
                let one = match (field.input_type.as_str(), operator.name.as_str()) {
                    (_, "inLast" | "inNext" | "moreThanAgo" | "completedInLast") => {
                        serde_json::json!(7)
                    }
                    ("datetime-local", _) => serde_json::json!("2026-01-01"),
                    ("number", _) => serde_json::json!(7),
                    _ => serde_json::json!("true"),
                };
                let value = match operator.arity.as_deref() {
                    Some("none") => serde_json::Value::Null,
                    Some("multi") => serde_json::json!([one, one]),
                    _ => one,
                };
                let filter = serde_json::from_value::<crate::rules::FilterDocument>(
                    serde_json::json!({
                        section: {"combinator": "and", "rules": [{"field": field.name, "operator": operator.name, "value": value}]}
                    }),
                );
                let checked = filter
                    .expect("filter not parsed")
                    .check(&fields, chrono_tz::UTC);
                assert!(
                    matches!(checked, Ok(Some(_))),
                    "{} {}: {checked:?}",
                    field.label,
                    operator.name
                );
            }
        }
    }
}
