//! The member list as a workbook, written as the maintenance job writes it.

use std::path::Path;

use rollcall_domain::snapshot::{Property, Snapshot};
use rollcall_domain::text::fold;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// Titles, properties and widths of the columns, as in the job's `member_file.rs`.
const COLUMNS: [(&str, Property, u16); 8] = [
    ("Name", Property::Title, 28),
    ("Email", Property::Email, 36),
    ("Job title", Property::JobTitle, 28),
    ("Department", Property::Department, 22),
    ("Company", Property::Company, 22),
    ("Office", Property::Office, 18),
    ("City", Property::City, 18),
    ("Country", Property::Country, 18),
];

/// Writes everybody of the snapshot, ordered by name.
///
/// # Errors
/// If the file or the library's temporary file cannot be written.
pub fn write(path: &Path, snapshot: &Snapshot) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("Members")?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, (_, _, width)) in (0u16..).zip(COLUMNS) {
        sheet.set_column_width(column, width)?;
    }
    let titles = COLUMNS.map(|(title, _, _)| title);
    let titles = titles
        .into_iter()
        .chain(["Member because of", "Entra account"]);
    for (column, title) in (0u16..).zip(titles) {
        sheet.write_string_with_format(0, column, title, &bold)?;
    }
    let mut rows: Vec<u32> = snapshot.people.living.iter().collect();
    rows.sort_by_cached_key(|row| {
        snapshot
            .people
            .property(Property::Title, *row)
            .and_then(fold)
    });
    for (line, row) in (1u32..).zip(rows) {
        for (column, (_, property, _)) in (0u16..).zip(COLUMNS) {
            if let Some(text) = snapshot.people.property(property, row) {
                sheet.write_string(line, column, text)?;
            }
        }
        sheet.write_string(line, 8, "Rules")?;
        sheet.write_string(line, 9, "yes")?;
    }
    workbook.save(path)
}
