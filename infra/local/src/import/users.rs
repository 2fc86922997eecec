//! `users.csv`: the users, in the format of the Entra admin center's "Download users".

use std::collections::{BTreeMap, HashSet};

use rollcall_simulators::world::{CustomField, FieldKind, Person, UserType};
use uuid::Uuid;

use super::header::Header;
use super::index::{Entry, Index, RowStatus};
use super::problem::RowProblem;
use super::quoted::quoted;
use super::table::{Row, Table};
use super::value;

/// The columns of the export, in order. Source: a "Download users" file of the Entra admin center.
pub(crate) const ENTRA_COLUMNS: [&str; 29] = [
    "userPrincipalName",
    "displayName",
    "surname",
    "mail",
    "givenName",
    "id",
    "userType",
    "jobTitle",
    "department",
    "accountEnabled",
    "usageLocation",
    "streetAddress",
    "state",
    "country",
    "officeLocation",
    "city",
    "postalCode",
    "telephone",
    "mobilePhone",
    "alternateEmailAddress",
    "ageGroup",
    "consentProvidedForMinor",
    "legalAgeGroupClassification",
    "companyName",
    "creationType",
    "directorySynced",
    "invitationState",
    "identityIssuer",
    "createdDateTime",
];

/// The columns that identify a user.
pub(super) const REQUIRED: [&str; 3] = ["userPrincipalName", "displayName", "id"];

/// The prefix of columns with custom values of Learn365.
const CUSTOM: &str = "custom:";

/// Domain of a tenant without users; reserved by RFC 2606.
const NO_DOMAIN: &str = "imported.example";

/// Returns the header of a custom column, for example `custom:Hire Date:DateTime`.
pub(crate) fn custom_column(field: &CustomField) -> String {
    let kind = match field.kind {
        FieldKind::String => "String",
        FieldKind::Boolean => "Boolean",
        FieldKind::Number => "Number",
        FieldKind::DateTime => "DateTime",
    };
    format!("{CUSTOM}{}:{kind}", field.title)
}

/// The loaded users, searchable by their keys.
pub(super) struct Users {
    pub(super) people: Vec<Person>,
    pub(super) fields: Vec<CustomField>,
    by_id: Index<Uuid>,
    by_upn: Index<String>,
    by_mail: Index<String>,
}

impl Users {
    pub(super) fn read(table: Table<'_>, tenant: Uuid, problems: &mut Vec<RowProblem>) -> Self {
        let columns = custom_columns(table.header(), tenant, problems);
        let mut users = Self {
            people: Vec::new(),
            fields: columns.iter().map(|(_, field)| field.clone()).collect(),
            by_id: Index::default(),
            by_upn: Index::default(),
            by_mail: Index::default(),
        };
        table.each(problems, |row| users.add(row, &columns));
        users
    }

    fn add(&mut self, row: &mut Row<'_>, columns: &[(usize, CustomField)]) {
        let person = person(row, columns);
        if let Some((id, person)) = person {
            self.refuse_duplicate(row, id, &person.upn);
            if row.is_sound() {
                self.load(row.line(), id, person);
                return;
            }
        }
        self.remember_refused(row);
    }

    fn refuse_duplicate(&self, row: &mut Row<'_>, id: Uuid, upn: &str) {
        if let Some(line) = self.by_id.taken(&id) {
            row.refuse("id", format!("is the id in line {line} already"));
        }
        if let Some(line) = self.by_upn.taken(&upn.to_lowercase()) {
            let problem = format!("is the userPrincipalName in line {line} already");
            row.refuse("userPrincipalName", problem);
        }
    }

    fn load(&mut self, line: u64, id: Uuid, person: Person) {
        let status = person.lms_id.map_or(RowStatus::Disabled, RowStatus::Loaded);
        self.by_id.load(id, line, status);
        self.by_upn.load(person.upn.to_lowercase(), line, status);
        if let Some(mail) = &person.mail {
            self.by_mail.load(mail.to_lowercase(), line, status);
        }
        self.people.push(person);
    }

    /// Records an invalid row, so that problems of its enrolments can refer to it.
    fn remember_refused(&mut self, row: &Row<'_>) {
        let key = |column| row.value(column).map(|text| text.trim().to_lowercase());
        if let Some(Ok(id)) = row.value("id").map(value::guid) {
            self.by_id.refuse(id, row.line());
        }
        if let Some(upn) = key("userPrincipalName") {
            self.by_upn.refuse(upn, row.line());
        }
        if let Some(mail) = key("mail") {
            self.by_mail.refuse(mail, row.line());
        }
    }

    /// Returns the Learn365 id of the user with this object id, principal name or mail address.
    pub(super) fn learner(&self, text: &str) -> Result<Uuid, String> {
        let entry = self.entry(text.trim());
        let Some(Entry { line, status }) = entry else {
            return Err(format!(
                "{} is not a userPrincipalName, mail or id in the users file",
                quoted(text)
            ));
        };
        match status {
            RowStatus::Loaded(id) => Ok(id),
            RowStatus::Disabled => Err(format!(
                "{} is disabled in line {line} of the users file; disabled accounts have no Learn365 user",
                quoted(text)
            )),
            RowStatus::Several => Err(format!(
                "{} is the mail of several users, first in line {line}; write the \
                 userPrincipalName or id",
                quoted(text)
            )),
            RowStatus::Refused => Err(format!(
                "{} is in line {line} of the users file, which was skipped",
                quoted(text)
            )),
        }
    }

    fn entry(&self, text: &str) -> Option<Entry> {
        if let Ok(id) = value::guid(text) {
            return self.by_id.find(&id);
        }
        let key = text.to_lowercase();
        let mail = || self.by_mail.find(&key);
        match self.by_upn.find(&key) {
            None => mail(),
            Some(entry) if entry.status == RowStatus::Refused => mail().or(Some(entry)),
            found => found,
        }
    }

    /// Returns the most frequent domain; of several, the first in alphabetical order.
    pub(super) fn domain(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for person in &self.people {
            if let (UserType::Member, Some((_, domain))) =
                (person.user_type, person.upn.rsplit_once('@'))
            {
                *counts.entry(domain.to_lowercase()).or_default() += 1;
            }
        }
        let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
        most.map_or_else(|| NO_DOMAIN.to_owned(), |(domain, _)| domain)
    }
}

/// Returns the user in a row with the object id; `None` if a required value is missing or invalid.
fn person(row: &mut Row<'_>, columns: &[(usize, CustomField)]) -> Option<(Uuid, Person)> {
    let upn = row.required("userPrincipalName", value::principal_name);
    let display_name = row.required("displayName", value::text);
    let id = row.required("id", value::guid);
    let user_type = row.optional("userType", value::user_type);
    let enabled = row.optional("accountEnabled", value::boolean);
    let enabled = enabled.unwrap_or(true);
    let custom = custom_values(row, columns);
    let mail = row.optional("mail", value::trimmed);
    let text = |column| row.value(column).map(str::to_owned);
    let id = id?;
    let person = Person {
        object_id: Some(id),
        lms_id: enabled.then(|| lms_id(id)),
        upn: upn?,
        display_name: display_name?,
        given_name: text("givenName"),
        surname: text("surname"),
        mail,
        city: text("city"),
        company: text("companyName"),
        department: text("department"),
        country: text("country"),
        office: text("officeLocation"),
        job_title: text("jobTitle"),
        user_type: user_type.unwrap_or(UserType::Member),
        account_enabled: enabled,
        employee_id: None,
        hire_date: None,
        manager: None,
        custom,
    };
    Some((id, person))
}

/// Returns the Learn365 id of the user with this Entra object id.
fn lms_id(object_id: Uuid) -> Uuid {
    Uuid::new_v5(&object_id, b"learn365-user")
}

fn custom_values(row: &mut Row<'_>, columns: &[(usize, CustomField)]) -> BTreeMap<Uuid, String> {
    let mut values = BTreeMap::new();
    for (at, field) in columns {
        if let Some(value) = row.optional_at(*at, |text| value::custom(field.kind, text)) {
            values.insert(field.id, value);
        }
    }
    values
}

/// Returns the custom columns with their indexes; invalid ones are problems of the header.
fn custom_columns(
    header: &Header,
    tenant: Uuid,
    problems: &mut Vec<RowProblem>,
) -> Vec<(usize, CustomField)> {
    let mut columns = Vec::new();
    let mut titles = HashSet::new();
    for (at, name) in header.names().iter().enumerate() {
        let Some(declared) = after_prefix(name) else {
            continue;
        };
        let field = custom_field(declared, tenant).and_then(|field| {
            let new = titles.insert(field.title.to_lowercase());
            new.then_some(field)
                .ok_or_else(|| "has the title of an earlier column".to_owned())
        });
        match field {
            Ok(field) => columns.push((at, field)),
            Err(problem) => {
                let problem = format!("{problem} (the column is left out)");
                problems.push(header.value_problem(header.line(), at, problem));
            }
        }
    }
    columns
}

fn after_prefix(name: &str) -> Option<&str> {
    let (prefix, declared) = name.split_at_checked(CUSTOM.len())?;
    prefix.eq_ignore_ascii_case(CUSTOM).then_some(declared)
}

/// Parses `Title` or `Title:Type`; a title that contains a colon requires the type.
fn custom_field(declared: &str, tenant: Uuid) -> Result<CustomField, String> {
    let (title, kind) = match declared.rsplit_once(':') {
        Some((title, kind)) => (title, value::field_kind(kind)?),
        None => (declared, FieldKind::String),
    };
    let title = title.trim();
    if title.is_empty() {
        return Err("has no title".to_owned());
    }
    Ok(CustomField {
        id: Uuid::new_v5(&tenant, format!("custom-field:{title}").as_bytes()),
        title: title.to_owned(),
        kind,
    })
}
