//! The platform's user list as its pages arrive.

use std::borrow::Cow;

use super::cells::Cells;
use super::limits::{MAX_USERS, TooLarge};
use super::numbers::Numbers;
use crate::base::ids::{FieldId, ObjectId, UserId};
use crate::snapshot::Property;
use crate::snapshot::lms::User;

/// Users and groups of the user list, column by column.
#[derive(Debug, Clone, Default)]
pub struct UserSet {
    pub(super) ids: Numbers<UserId>,
    pub(super) object_ids: Vec<Option<ObjectId>>,
    /// True for rows that are marked as groups themselves.
    pub(super) groups: Vec<bool>,
    pub(super) logins: Texts,
    pub(super) properties: [Cells; Property::ALL.len()],
    pub(super) fields: Numbers<FieldId>,
    pub(super) custom: Vec<Cells>,
}

impl UserSet {
    /// Adds one row; of several rows with one id the first is used.
    ///
    /// # Errors
    /// Returns an error beyond [`MAX_USERS`] rows, four gigabytes of login names, or two gigabytes
    /// of distinct texts in one column.
    pub fn push(&mut self, user: &User<'_>) -> Result<(), TooLarge> {
        let place = self.ids.number(user.id, MAX_USERS).ok_or(TooLarge::Users)?;
        if (place as usize) < self.object_ids.len() {
            return Ok(());
        }
        self.object_ids.push(user.object_id);
        self.groups.push(user.is_group);
        self.logins.push(&user.login_name).ok_or(TooLarge::Users)?;
        for (property, cells) in Property::ALL.into_iter().zip(&mut self.properties) {
            if let Some(text) = value(user, property) {
                cells.put(place, text).ok_or(TooLarge::Users)?;
            }
        }
        for (field, text) in &user.custom {
            let field = self.fields.number(*field, u32::MAX);
            let field = field.ok_or(TooLarge::Users)? as usize;
            if field == self.custom.len() {
                self.custom.push(Cells::default());
            }
            let put = self.custom[field].put(place, text);
            put.ok_or(TooLarge::Users)?;
        }
        Ok(())
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.object_ids.len()
    }

    /// Returns true if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.object_ids.is_empty()
    }
}

fn value<'a>(user: &'a User<'_>, property: Property) -> Option<&'a str> {
    let text: Option<&Cow<'_, str>> = match property {
        Property::City => user.city.as_ref(),
        Property::Company => user.company.as_ref(),
        Property::Department => user.department.as_ref(),
        Property::Country => user.country.as_ref(),
        Property::Office => user.office.as_ref(),
        Property::JobTitle => user.job_title.as_ref(),
        Property::Email => user.email.as_ref(),
        Property::Title => user.title.as_ref(),
    };
    text.map(AsRef::as_ref)
}

/// Texts concatenated in one string, unchanged.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Appends a text; `None` if it does not fit.
    fn push(&mut self, text: &str) -> Option<()> {
        let end = u32::try_from(self.text.len() + text.len()).ok()?;
        self.text.push_str(text);
        self.ends.push(end);
        Some(())
    }

    /// Returns the text at an index.
    pub(super) fn get(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |end| *end as usize);
        let end = self.ends.get(place).map_or(start, |end| *end as usize);
        self.text.get(start..end).unwrap_or_default()
    }
}
