//! The Excel file of a profile's members (S4-128), written even when the change
//! is held (S4-131), and only when it says something new.

use std::path::Path;

use rollcall_clients::objects::members_key;
use rollcall_domain::desired::Members;
use rollcall_domain::snapshot::{Property, Snapshot};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::load::{Work, words};

const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
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
/// Excel's rows; longer lists are cut with a remark (S4 names no limit).
const MAX_ROWS: u32 = 1_048_575;

/// Writes the profile's file unless the stored one says the same.
pub(crate) async fn keep(
    work: &mut Work<'_>,
    index: usize,
    members: &Members,
) -> Result<(), String> {
    let digest = digest(&work.snapshot, members);
    let subject = &mut work.subjects[index];
    if subject.state.members_digest.as_deref() == Some(digest.as_str()) {
        return Ok(());
    }
    let file = tempfile::NamedTempFile::new().map_err(words)?;
    write(file.path(), &work.snapshot, members).map_err(words)?;
    let key = members_key(work.tenant.id, subject.profile.id);
    work.services
        .objects
        .put_file(&key, CONTENT_TYPE, file.path())
        .await
        .map_err(words)?;
    subject.state.members_file = Some(key);
    subject.state.members_digest = Some(digest);
    Ok(())
}

/// Names exactly what the file would hold.
fn digest(snapshot: &Snapshot, members: &Members) -> String {
    let mut hasher = Hasher::default();
    for row in members.all.iter().take(MAX_ROWS as usize) {
        for (_, property, _) in COLUMNS {
            hasher.text(snapshot.people.property(property, row).unwrap_or_default());
        }
        hasher.text(because(members, row));
        hasher.text(account(snapshot, row));
    }
    hasher.finish()
}

fn because(members: &Members, row: u32) -> &'static str {
    if members.included.contains(row) {
        "Override"
    } else {
        "Rules"
    }
}

/// Without an account a person matches and cannot be in the group.
fn account(snapshot: &Snapshot, row: u32) -> &'static str {
    if snapshot.people.object_ids[row as usize].is_some() {
        "yes"
    } else {
        "no, so not in the group"
    }
}

/// The members as people look for them.
fn by_name(snapshot: &Snapshot, members: &Members) -> Vec<u32> {
    let mut rows: Vec<u32> = members.all.iter().collect();
    rows.sort_by_cached_key(|row| {
        snapshot
            .people
            .property(Property::Title, *row)
            .and_then(rollcall_domain::text::fold)
    });
    rows
}

/// Texts are written as texts: a name that begins with `=` never becomes a formula.
fn write(path: &Path, snapshot: &Snapshot, members: &Members) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("Members")?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, (_, _, width)) in (0u16..).zip(COLUMNS) {
        sheet.set_column_width(column, width)?;
    }
    let last = u16::try_from(COLUMNS.len()).unwrap_or_default();
    for (column, (title, _, _)) in (0u16..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, title, &bold)?;
    }
    sheet.write_string_with_format(0, last, "Member because of", &bold)?;
    sheet.write_string_with_format(0, last + 1, "Entra account", &bold)?;
    for (line, row) in (1u32..=MAX_ROWS).zip(by_name(snapshot, members)) {
        for (column, (_, property, _)) in (0u16..).zip(COLUMNS) {
            if let Some(text) = snapshot.people.property(property, row) {
                sheet.write_string(line, column, cut(text))?;
            }
        }
        sheet.write_string(line, last, because(members, row))?;
        sheet.write_string(line, last + 1, account(snapshot, row))?;
    }
    workbook.save(path)
}

/// Excel takes 32,767 characters in a cell.
fn cut(text: &str) -> String {
    text.chars().take(32_767).collect()
}

/// A digest of texts with their lengths, so that no two lists look alike.
#[derive(Default)]
struct Hasher(sha2::Sha256);

impl Hasher {
    fn text(&mut self, text: &str) {
        use sha2::Digest as _;
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn finish(self) -> String {
        use sha2::Digest as _;
        hex::encode(&self.0.finalize()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::rowset::RowSet;
    use rollcall_domain::testing::World;

    fn members(rows: &[u32]) -> Members {
        let mut all = RowSet::new(3);
        all.extend(rows.iter().copied());
        Members {
            included: RowSet::new(3),
            all,
        }
    }

    fn snapshot(city: &str) -> Snapshot {
        let mut world = World::new();
        world.person("=HYPERLINK(\"x\")").with("city", city);
        world.person("Grace").with("city", "Oslo");
        world.person("Alan");
        world.snapshot()
    }

    #[test]
    fn the_digest_changes_with_members_and_with_what_is_shown_of_them() {
        let first = digest(&snapshot("Denver"), &members(&[0, 1]));
        assert_eq!(first, digest(&snapshot("Denver"), &members(&[0, 1])));
        assert_ne!(first, digest(&snapshot("Denver"), &members(&[0])));
        assert_ne!(first, digest(&snapshot("Dallas"), &members(&[0, 1, 2])));
    }

    /// Proves S4-128 and S4-042: a real .xlsx, names never formulas.
    #[test]
    fn the_file_is_a_workbook_with_texts_only() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        write(file.path(), &snapshot("Denver"), &members(&[0, 1, 2])).expect("writes");
        let bytes = std::fs::read(file.path()).expect("reads");
        assert!(bytes.starts_with(b"PK"));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
        let mut sheet = String::new();
        std::io::Read::read_to_string(
            &mut archive
                .by_name("xl/worksheets/sheet1.xml")
                .expect("a sheet"),
            &mut sheet,
        )
        .expect("text");
        assert!(
            sheet.contains("HYPERLINK") && !sheet.contains("<f>"),
            "{sheet}"
        );
        assert!(sheet.contains("Grace") && sheet.contains("Member because of"));
    }
}
