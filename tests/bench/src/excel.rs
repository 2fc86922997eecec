//! Writes member lists as workbooks with the maintenance job's own code, from a CSV file.

use std::error::Error;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

// Includes the file, because depending on the job would add the whole SDK.
#[path = "../../../functions/maintenance-job/src/reconcile/memberships/workbook.rs"]
#[expect(unreachable_pub, reason = "the job uses items that are unused here")]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "only the job writes users of a snapshot")
)]
mod member_sheet;

use member_sheet::{COLUMNS, MemberSheet};

/// Writes all users of an export's `users.csv`, reading one row at a time.
///
/// # Errors
/// If the export lacks a column, or a file cannot be read or written.
pub fn write(users: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut rows = ReaderBuilder::new().from_path(users)?;
    let headers = rows.headers()?.clone();
    let mut places = [0; COLUMNS.len()];
    for (place, (_, property, _)) in places.iter_mut().zip(COLUMNS) {
        let found = headers.iter().position(|name| name == property.name());
        *place = found.ok_or_else(|| format!("there is no column {}", property.name()))?;
    }
    let mut sheet = MemberSheet::new()?;
    let mut row = StringRecord::new();
    while rows.read_record(&mut row)? {
        let shown = places.iter().map(|place| row.get(*place));
        let shown = shown.map(|text| text.filter(|text| !text.is_empty()));
        sheet.line(shown.chain([Some("Rules"), Some("yes")]))?;
    }
    sheet.save(out)?;
    Ok(())
}
