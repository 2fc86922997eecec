//! The member list as a workbook, written by the maintenance job's own code.

use std::path::Path;

use rollcall_domain::desired::Members;
use rollcall_domain::rowset::RowSet;
use rollcall_domain::snapshot::Snapshot;
use rust_xlsxwriter::XlsxError;

// The file itself: depending on the job would bring in the whole SDK.
#[path = "../../../functions/maintenance-job/src/member_sheet.rs"]
#[expect(unreachable_pub, reason = "the job uses what is not used here")]
mod member_sheet;

/// Writes everybody of the snapshot, ordered by name.
///
/// # Errors
/// If the file or the library's temporary file cannot be written.
pub fn write(path: &Path, snapshot: &Snapshot) -> Result<(), XlsxError> {
    let members = Members {
        all: snapshot.people.living.clone(),
        included: RowSet::new(snapshot.people.rows()),
    };
    member_sheet::write(path, snapshot, &members)
}
