//! Damaged, forged and unknown files are rejected.

use super::*;

#[test]
fn every_damaged_byte_is_noticed_and_the_column_named() {
    let bytes = encoded();
    let columns = directory(&bytes).columns;
    let (json_end, json) = (bytes.len() - 18, columns.last().expect("no columns"));
    let json_start = json.offset + json.stored;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let error = decode(&damaged).expect_err("damaged file decoded");
        let place = at as u64;
        let holds =
            |column: &&Column| (column.offset..column.offset + column.stored).contains(&place);
        match columns.iter().find(holds) {
            Some(column) => assert!(
                matches!(&error, DecodeError::Damaged { column: named } if *named == column.name),
                "byte {at} of {}: {error}",
                column.name
            ),
            None if place >= json_start && at < json_end => {
                assert!(matches!(error, DecodeError::DirectoryChecksum), "byte {at}");
            }
            None => {}
        }
    }
}

#[test]
fn a_cut_file_is_noticed_wherever_it_is_cut() {
    let bytes = encoded();
    for length in 0..bytes.len() {
        let error = decode(&bytes[..length]).expect_err("truncated file decoded");
        let told = matches!(error, DecodeError::Cut | DecodeError::NotASnapshot);
        assert!(told, "cut to {length}: {error}");
    }
}

#[test]
fn another_version_is_refused_by_name() {
    let mut bytes = encoded();
    for (version, name) in [(1, "1"), (9, "9")] {
        bytes[6] = version;
        let expected =
            format!("the snapshot has format version {name}, this program reads version 2");
        assert_eq!(refused(&bytes), expected);
    }
}

#[test]
fn an_unknown_column_is_skipped_only_if_it_says_so() {
    let newer = |required| {
        with_directory(&encoded(), |directory| {
            let platform = directory.columns.last_mut().expect("no columns");
            // A column without bytes, so that the other columns need not move.
            let at = platform.offset + platform.stored;
            directory.columns.push(Column {
                name: "people.shoe_size".to_owned(),
                encoding: "furlongs".to_owned(),
                entries: 2,
                offset: at,
                stored: 0,
                raw: 0,
                xxh3: checksum(&[]),
                required,
            });
        })
    };
    assert_eq!(
        decode(&newer(false)).expect("snapshot not decoded"),
        sample()
    );
    assert_eq!(
        refused(&newer(true)),
        "the snapshot needs a newer program: column people.shoe_size is unknown"
    );
}

#[test]
fn fields_of_the_directory_no_one_knows_are_skipped() {
    let bytes = encoded();
    let whole = directory(&bytes)
        .to_bytes()
        .expect("directory not serialized");
    let blocks = &bytes[..bytes.len() - whole.len()];
    let json = std::str::from_utf8(&whole[..whole.len() - 18]).expect("directory is not UTF-8");
    let json = json.replacen('{', "{\"weather\":{\"rain\":[1,2]},", 1);
    let mut newer = blocks.to_vec();
    newer.extend_from_slice(json.as_bytes());
    newer.extend(
        u32::try_from(json.len())
            .expect("size out of range")
            .to_le_bytes(),
    );
    newer.extend(twox_hash::XxHash3_64::oneshot(json.as_bytes()).to_le_bytes());
    newer.extend_from_slice(b"RCSNAP");
    assert_eq!(decode(&newer).expect("snapshot not decoded"), sample());
}

#[test]
fn a_known_column_written_in_an_unknown_way_is_refused_by_name() {
    let newer = with_directory(&encoded(), |directory| {
        let city = "text:city";
        let column = directory.columns.iter_mut().find(|it| it.name == city);
        column.expect("column not found").encoding = "texts-2".to_owned();
    });
    assert_eq!(
        refused(&newer),
        "the snapshot needs a newer program: column text:city is encoded as \"texts-2\", this program reads \"texts\""
    );
}

#[test]
fn a_directory_that_lies_is_refused() {
    type Change = fn(&mut SectionTable);
    let cases: [(&str, Change); 9] = [
        ("people.changed_in is missing", |it| {
            it.columns[3].name = "people.changed_at".to_owned();
            it.columns[3].required = false;
        }),
        ("text:city is listed twice", |it| {
            it.columns[5].name = "text:city".to_owned();
        }),
        ("people.living does not begin where", |it| {
            it.columns[2].offset += 1;
        }),
        ("people.changed_in does not begin where", |it| {
            it.columns[2].stored += 1;
        }),
        ("do not fill the file", |it| {
            it.columns.pop();
        }),
        ("people.ids declares more bytes than", |it| {
            it.columns[0].raw = 1 << 40;
        }),
        ("too large: column people.ids", |it| {
            it.columns[0].stored = 1 << 40;
            it.columns[0].raw = MAX_DECODED + 1;
        }),
        ("too large: it has 4294967295 rows", |it| it.rows = u32::MAX),
        ("people.changed_in of the snapshot is invalid", |it| {
            it.rows = 3;
        }),
    ];
    for (expected, change) in cases {
        let error = refused(&with_directory(&encoded(), change));
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_length_that_was_forged_is_refused_before_it_is_believed() {
    for raw in [0, 1, 31, 33, 100_000] {
        let forged = with_directory(&encoded(), |it| it.columns[0].raw = raw);
        assert!(refused(&forged).contains("people.ids"), "{raw}");
    }
}

#[test]
fn content_that_contradicts_itself_is_refused_by_column() {
    type Change = fn(&mut Vec<u8>);
    let cases: [(&str, Change); 17] = [
        ("people.ids", |raw| raw.truncate(16)),
        ("people.ids", |raw| raw.copy_within(..16, 16)),
        ("people.object_ids", |raw| raw[0] = 3),
        ("people.object_ids", |raw| raw[0] = 4),
        ("people.living", |raw| raw[0] |= 4),
        ("people.changed_in", |raw| raw.push(0)),
        ("text:city", |raw| raw[0] += 1),
        ("text:city", |raw| *raw.last_mut().expect("no codes") = 3),
        ("text:city", |raw| raw[9] = 3),
        ("text:city", |raw| raw[13] = 0xff),
        ("date:custom", |raw| *raw.last_mut().expect("no codes") = 2),
        ("enrolments.courses", |raw| raw[16] = 200),
        ("enrolments.courses", |raw| {
            *raw.last_mut().expect("no widths") = 3;
        }),
        ("enrolments.gaps8", |raw| raw[1] = 5),
        ("enrolments.gaps8", |raw| raw[0] = 255),
        ("enrolments.status", |raw| raw[0] ^= 1),
        ("enrolments.due_at", |raw| raw.fill(0)),
    ];
    let bytes = encoded();
    for (case, (name, change)) in cases.into_iter().enumerate() {
        let columns = directory(&bytes).columns;
        let found = columns.iter().find(|column| column.name.starts_with(name));
        let name = &found.expect("column not found").name;
        let error = decode(&with_column(&bytes, name, change)).expect_err("forged file decoded");
        assert_eq!(error.column(), Some(name.as_str()), "case {case}: {error}");
    }
}

#[test]
fn unknown_bits_and_rows_too_many_are_refused() {
    let bytes = encoded();
    let unknown = with_column(&bytes, "enrolments.status", |raw| raw[0] |= 0x10);
    assert!(refused(&unknown).contains("unknown bits"));
    for name in ["enrolments.gaps8", "enrolments.status"] {
        let longer = with_column(&bytes, name, |raw| raw.push(0));
        assert!(
            refused(&longer).contains("more entries than the courses need"),
            "{name}"
        );
        let shorter = with_column(&bytes, name, |raw| raw.truncate(1));
        assert!(
            refused(&shorter).contains("fewer entries than the courses need"),
            "{name}"
        );
    }
}
