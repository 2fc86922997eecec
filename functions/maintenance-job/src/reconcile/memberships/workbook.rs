//! The workbook of a profile's members: its columns, and writing it in constant memory.

use std::borrow::Cow;
use std::path::Path;

use rollcall_domain::audience::desired_members::Members;
use rollcall_domain::snapshot::name_order::NameOrder;
use rollcall_domain::snapshot::{Property, Snapshot, Source};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// The columns read from the snapshot: heading, property, width in characters.
pub(crate) const COLUMNS: [(&str, Property, u16); 8] = [
    ("Name", Property::Title, 28),
    ("Email", Property::Email, 36),
    ("Job title", Property::JobTitle, 28),
    ("Department", Property::Department, 22),
    ("Company", Property::Company, 22),
    ("Office", Property::Office, 18),
    ("City", Property::City, 18),
    ("Country", Property::Country, 18),
];
/// The headings of the columns after [`COLUMNS`].
const REMARKS: [&str; 2] = ["Member because of", "Entra account"];
/// The number of rows that Excel allows below the headings; longer lists are truncated (S4
/// states no limit).
const MAX_ROWS: u32 = 1_048_575;
/// The number of characters that Excel allows in a cell.
const MAX_CELL: usize = 32_767;

/// Writes the members of an audience, sorted by name, as an Excel workbook.
/// Memory does not grow with the rows; a temporary file of about ten times the
/// result's size is created and removed again.
///
/// # Errors
/// Returns an error if a file cannot be written.
pub fn write(path: &Path, snapshot: &Snapshot, members: &Members) -> Result<(), XlsxError> {
    write_in(path, snapshot, members, &NameOrder::of(snapshot))
}

/// Writes the same workbook as [`write`], with an order that is already computed.
///
/// # Errors
/// Returns an error if a file cannot be written.
pub fn write_in(
    path: &Path,
    snapshot: &Snapshot,
    members: &Members,
    order: &NameOrder,
) -> Result<(), XlsxError> {
    let texts = &snapshot.people.texts;
    let columns = COLUMNS.map(|(_, property, _)| texts.get(&Source::Property(property)));
    let mut sheet = MemberSheet::new()?;
    for row in order.sorted(snapshot, members.all.iter()) {
        let shown = columns
            .iter()
            .map(|column| column.and_then(|column| column.get(row)));
        let remarks = [because(members, row), account(snapshot, row)].map(Some);
        sheet.line(shown.chain(remarks))?;
    }
    sheet.save(path)
}

/// A workbook that is written line by line.
pub struct MemberSheet {
    workbook: Workbook,
    /// The index of the next row; row 0 contains the headings.
    next: u32,
}

impl MemberSheet {
    /// Starts a workbook with the headings.
    ///
    /// # Errors
    /// Returns an error if the library's temporary file cannot be created.
    pub fn new() -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let bold = Format::new().set_bold();
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("Members")?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, (_, _, width)) in (0u16..).zip(COLUMNS) {
            sheet.set_column_width(column, width)?;
        }
        let headings = COLUMNS.map(|(heading, _, _)| heading);
        for (column, heading) in (0u16..).zip(headings.into_iter().chain(REMARKS)) {
            sheet.write_string_with_format(0, column, heading, &bold)?;
        }
        Ok(Self { workbook, next: 1 })
    }

    /// Writes a line; lines beyond Excel's limit are dropped. Texts are written as texts: a
    /// name that begins with `=` never becomes a formula.
    ///
    /// # Errors
    /// Returns an error if the library's temporary file cannot be written.
    pub fn line<'t>(
        &mut self,
        cells: impl IntoIterator<Item = Option<&'t str>>,
    ) -> Result<(), XlsxError> {
        if self.next > MAX_ROWS {
            return Ok(());
        }
        let sheet = self.workbook.worksheet_from_index(0)?;
        for (column, text) in (0u16..).zip(cells) {
            if let Some(text) = text {
                sheet.write_string(self.next, column, cut(text))?;
            }
        }
        self.next += 1;
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn save(mut self, path: &Path) -> Result<(), XlsxError> {
        self.workbook.save(path)
    }
}

fn because(members: &Members, row: u32) -> &'static str {
    if members.included.contains(row) {
        "Override"
    } else {
        "Rules"
    }
}

/// Returns the account column: a user without an account can match the rules, but cannot be a
/// member of the group.
fn account(snapshot: &Snapshot, row: u32) -> &'static str {
    if snapshot.people.is_reachable(row) {
        "yes"
    } else {
        "no, so not in the group"
    }
}

fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_CELL {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(MAX_CELL).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::base::rowset::RowSet;
    use rollcall_domain::testing::World;

    fn everyone(snapshot: &Snapshot) -> Members {
        Members {
            all: snapshot.people.living.clone(),
            included: RowSet::new(snapshot.people.rows()),
        }
    }

    fn sheet(world: &World) -> String {
        let snapshot = world.snapshot();
        let file = tempfile::NamedTempFile::new().expect("no temporary file");
        write(file.path(), &snapshot, &everyone(&snapshot)).expect("workbook not written");
        let bytes = std::fs::read(file.path()).expect("workbook not readable");
        assert!(bytes.starts_with(b"PK"));
        let mut archive =
            zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("not a ZIP archive");
        let mut sheet = String::new();
        let mut entry = archive
            .by_name("xl/worksheets/sheet1.xml")
            .expect("no sheet in the workbook");
        std::io::Read::read_to_string(&mut entry, &mut sheet).expect("the sheet is not UTF-8");
        sheet
    }

    /// Proves S4-128 and S4-042: a real .xlsx, names never formulas.
    #[test]
    fn the_file_is_a_workbook_with_texts_only() {
        let mut world = World::new();
        world.person("=HYPERLINK(\"x\")").with("city", "Denver");
        world.person("Grace").with("city", "Oslo");
        world.person("Alan");
        let sheet = sheet(&world);
        assert!(
            sheet.contains("HYPERLINK") && !sheet.contains("<f>"),
            "{sheet}"
        );
        assert!(sheet.contains("Grace") && sheet.contains("Member because of"));
    }

    #[test]
    fn members_are_sorted_by_name_without_regard_to_case() {
        let mut world = World::new();
        let names = ["Zoë", "ada", "Émile", "Bob", "ADA Lovelace"];
        for name in names {
            world.person(name);
        }
        let sheet = sheet(&world);
        let place = |name: &str| {
            sheet
                .find(&format!(">{name}<"))
                .expect("name not in the sheet")
        };
        assert!(place("ada") < place("ADA Lovelace"));
        assert!(place("ADA Lovelace") < place("Bob"));
        assert!(place("Bob") < place("Zoë"));
    }

    #[test]
    fn a_text_longer_than_a_cell_is_cut() {
        assert_eq!(cut("short"), "short");
        let long = "ü".repeat(MAX_CELL + 5);
        assert_eq!(cut(&long).chars().count(), MAX_CELL);
    }
}
