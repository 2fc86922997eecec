//! Built-in profile drafts: the demo's, a grid for large tests, suggestions for imported data.

use std::collections::BTreeMap;

use rollcall_domain::base::text;
use rollcall_simulators::world::{Person, World};
use serde_json::{Value, json};

fn equals(field: &str, value: &str) -> Value {
    json!({"field": field, "operator": "=", "value": value})
}

fn any(rules: Vec<Value>) -> Value {
    json!({"combinator": "or", "rules": rules})
}

fn all(rules: Vec<Value>) -> Value {
    json!({"combinator": "and", "rules": rules})
}

/// Returns the profiles of the demo: the guide's three worked examples, then common cases: a held
/// change, one that needs review, one populated manually.
pub fn demo() -> Value {
    let cities = |names: &[&str]| any(names.iter().map(|name| equals("city", name)).collect());
    json!([
        {
            "title": "Customer Success in the West",
            "description": "Customer Success Managers in Las Vegas, San Diego or Denver",
            "filter": {"properties": all(vec![cities(&["Las Vegas", "San Diego", "Denver"]), equals("jobTitle", "Customer Success Manager")])},
            "courses": ["Security 101"],
        },
        {
            "title": "Hired after 1 January 2023",
            "filter": {"dates": all(vec![json!({"field": "custom:Hire Date", "operator": "after", "value": "2023-01-01"})])},
            "courses": ["Security 101"],
        },
        {
            "title": "Completed Outlook - Japanese",
            "filter": {"activities": all(vec![json!({"field": "course:Outlook - Japanese", "operator": "completed"})])},
        },
        {
            "title": "Security 101 still to do",
            "description": "Customer Success Managers in Denver or San Diego who have not completed Security 101",
            "filter": {
                "properties": all(vec![cities(&["Denver", "San Diego"]), equals("jobTitle", "Customer Success Manager")]),
                "activities": all(vec![json!({"field": "course:Security 101", "operator": "notCompleted"})]),
            },
            "courses": ["Security 101", "Outlook - Japanese"],
        },
        {
            "title": "Everyone else",
            "description": "All who are in neither of the two audiences above",
            "filter": {"properties": all(vec![json!({"field": "title", "operator": "notNull"})])},
            "exclude": ["profile:Customer Success in the West", "profile:Hired after 1 January 2023"],
            "throttle": {"maxChanges": 100},
            "enroll": false,
        },
        {
            "title": "Badge holders",
            "description": "Its rule uses a user field that was deleted",
            "filter": {"properties": all(vec![json!({"field": "custom:00000000-0000-4000-8000-0000000bad9e", "operator": "notNull"})])},
            "enroll": false,
        },
        {
            "title": "Speakers",
            "description": "Maintained manually: auto-populate is off",
            "autoPopulate": false,
            "enroll": false,
        },
    ])
}

/// Returns `count` profiles for larger tests: one per existing combination of department and city.
pub fn grid(world: &World, count: usize) -> Vec<Value> {
    let departments = frequent(world, |person| person.department.as_ref());
    let cities = frequent(world, |person| person.city.as_ref());
    let places = departments
        .iter()
        .flat_map(|department| cities.iter().map(move |city| (department, city)));
    (0..count)
        .zip(places)
        .map(|(number, (department, city))| {
            json!({
                "title": format!("{number:03} {department} in {city}"),
                "filter": {"properties": all(vec![equals("department", department), equals("city", city)])},
                "courses": course(world, number),
            })
        })
        .collect()
}

/// Returns profiles for imported data without profiles: the largest departments and cities.
pub fn suggested(world: &World) -> Vec<Value> {
    let departments = frequent(world, |person| person.department.as_ref())
        .into_iter()
        .take(6)
        .map(|name| ("department", name));
    let cities = frequent(world, |person| person.city.as_ref())
        .into_iter()
        .take(6)
        .map(|name| ("city", name));
    departments
        .chain(cities)
        .enumerate()
        .map(|(number, (field, name))| {
            json!({
                "title": if field == "city" { format!("Everyone in {name}") } else { format!("Department {name}") },
                "filter": {"properties": all(vec![equals(field, &name)])},
                "courses": course(world, number),
            })
        })
        .collect()
}

fn course(world: &World, number: usize) -> Value {
    let course = world.courses.get(number % world.courses.len().max(1));
    course.map_or_else(|| json!([]), |course| json!([course.title]))
}

/// Returns the existing values by frequency; spellings that compare as equal are counted together.
fn frequent(world: &World, of: fn(&Person) -> Option<&String>) -> Vec<String> {
    let mut counted: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for value in world.people.iter().filter_map(of) {
        if let Some(folded) = text::fold(value) {
            *counted
                .entry(folded)
                .or_default()
                .entry(value.trim())
                .or_default() += 1;
        }
    }
    let mut all: Vec<(usize, &str)> = counted
        .values()
        .filter_map(|spellings| {
            let most = spellings.iter().max_by_key(|(_, count)| **count)?;
            Some((spellings.values().sum(), *most.0))
        })
        .collect();
    all.sort_by(|a, b| b.cmp(a));
    all.into_iter().map(|(_, name)| name.to_owned()).collect()
}
