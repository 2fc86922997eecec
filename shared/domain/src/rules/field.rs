//! Names of fields in rules: `city`, `custom:<id>`, `entra:<property>`, `course:<id>`.

use std::fmt;

use crate::base::ids::{CourseId, FieldId};
use crate::snapshot::{Property, Source};

/// The subject of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldRef {
    /// A value of the user.
    Value(Source),
    /// The user's enrolments in a course.
    Course(CourseId),
}

impl FieldRef {
    /// Parses a field name.
    ///
    /// # Errors
    /// A sentence that lists the valid field names.
    pub fn parse(name: &str) -> Result<Self, String> {
        if let Some(property) = Property::ALL.into_iter().find(|p| p.name() == name) {
            return Ok(Self::Value(Source::Property(property)));
        }
        match name.split_once(':') {
            Some(("custom", id)) => id
                .parse::<FieldId>()
                .map(|id| Self::Value(Source::Custom(id)))
                .map_err(|error| error.to_string()),
            Some(("course", id)) => id
                .parse::<CourseId>()
                .map(Self::Course)
                .map_err(|error| error.to_string()),
            Some(("entra", property)) if is_property_name(property) => {
                Ok(Self::Value(Source::Entra(property.to_owned())))
            }
            _ => Err(format!(
                "there is no field {name:?}: use city, company, department, country, office, jobTitle, \
                 email, title, custom:<field id>, entra:<property> or course:<course id>"
            )),
        }
    }
}

/// Returns true for letters and digits only, as in Graph property names; other characters could
/// change the query.
pub fn is_property_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

impl fmt::Display for FieldRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(Source::Property(property)) => f.write_str(property.name()),
            Self::Value(Source::Custom(id)) => write!(f, "custom:{id}"),
            Self::Value(Source::Entra(name)) => write!(f, "entra:{name}"),
            Self::Course(id) => write!(f, "course:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_name_is_read_and_written_alike() {
        for name in [
            "city",
            "jobTitle",
            "custom:00000000-0000-0000-0000-000000000001",
            "entra:employeeType",
            "course:00000000-0000-0000-0000-000000000002",
        ] {
            assert_eq!(FieldRef::parse(name).expect(name).to_string(), name);
        }
    }

    #[test]
    fn other_names_are_refused_with_the_choices() {
        for name in ["City", "custom:x", "entra:a b", "entra:", "salary", ""] {
            assert!(FieldRef::parse(name).is_err(), "{name}");
        }
    }
}
