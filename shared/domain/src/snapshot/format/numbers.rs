//! Arrays of numbers as byte planes, and a bounds-checked cursor.
//!
//! An array is written as all its lowest bytes, then all second-lowest bytes, and so on:
//! neighbouring numbers have similar bytes in each plane, so that zstd compresses them better.

use crate::base::rowset::RowSet;
use crate::snapshot::Codes;

/// Appends numbers as planes of `W` bytes.
pub(super) fn put<const W: usize, T: Copy>(
    out: &mut Vec<u8>,
    numbers: &[T],
    bytes: impl Fn(T) -> [u8; W],
) {
    out.reserve(numbers.len() * W);
    for plane in 0..W {
        out.extend(numbers.iter().map(|number| bytes(*number)[plane]));
    }
}

/// Appends 32-bit numbers.
pub(super) fn put_u32s(out: &mut Vec<u8>, numbers: &[u32]) {
    put(out, numbers, u32::to_le_bytes);
}

/// Appends codes in the width they have in memory.
pub(super) fn put_codes(out: &mut Vec<u8>, codes: &Codes) {
    match codes {
        Codes::Byte(codes) => out.extend_from_slice(codes),
        Codes::Short(codes) => put(out, codes, u16::to_le_bytes),
        Codes::Wide(codes) => put_u32s(out, codes),
    }
}

/// Appends one bit per row.
pub(super) fn put_rows(out: &mut Vec<u8>, rows: &RowSet) {
    out.extend(rows.words().iter().flat_map(|word| word.to_le_bytes()));
}

/// Returns the number of bytes per code.
pub(super) fn width(codes: &Codes) -> u8 {
    match codes {
        Codes::Byte(_) => 1,
        Codes::Short(_) => 2,
        Codes::Wide(_) => 4,
    }
}

/// The unread bytes of a column. Every method returns `None` if there are not enough bytes, before
/// it allocates any memory.
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Returns a cursor at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Reads the next bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    /// Reads the next single number.
    pub(super) fn u32(&mut self) -> Option<u32> {
        let (taken, left) = self.0.split_first_chunk()?;
        self.0 = left;
        Some(u32::from_le_bytes(*taken))
    }

    /// Reads the next byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (taken, left) = self.0.split_first()?;
        self.0 = left;
        Some(*taken)
    }

    /// Reads the next 16-bit numbers.
    pub(super) fn u16s(&mut self, count: usize) -> Option<Vec<u16>> {
        let bytes = self.bytes(count.checked_mul(2)?)?;
        let (low, high) = bytes.split_at(count);
        let pairs = low.iter().zip(high);
        Some(pairs.map(|(a, b)| u16::from_le_bytes([*a, *b])).collect())
    }

    /// Reads the next 32-bit numbers.
    pub(super) fn u32s(&mut self, count: usize) -> Option<Vec<u32>> {
        let bytes = self.bytes(count.checked_mul(4)?)?;
        let (low, high) = bytes.split_at(count * 2);
        let ((a, b), (c, d)) = (low.split_at(count), high.split_at(count));
        let pairs = a.iter().zip(b).zip(c.iter().zip(d));
        Some(
            pairs
                .map(|((a, b), (c, d))| u32::from_le_bytes([*a, *b, *c, *d]))
                .collect(),
        )
    }

    /// Reads one bit per row, padded to whole 64-bit words.
    pub(super) fn rows(&mut self, rows: u32) -> Option<RowSet> {
        let bytes = self.bytes((rows as usize).div_ceil(64) * 8)?;
        let words = bytes.as_chunks().0.iter();
        RowSet::from_words(words.map(|word| u64::from_le_bytes(*word)).collect(), rows)
    }

    /// Reads the next signed 64-bit numbers.
    pub(super) fn i64s(&mut self, count: usize) -> Option<Vec<i64>> {
        let bytes = self.bytes(count.checked_mul(8)?)?;
        let number = |at: usize| {
            let byte = |plane: usize| bytes[plane * count + at];
            i64::from_le_bytes(std::array::from_fn(byte))
        };
        Some((0..count).map(number).collect())
    }

    /// Reads the next GUIDs, 16 bytes each in printed order.
    pub(super) fn guids(&mut self, count: usize) -> Option<&'a [[u8; 16]]> {
        let bytes = self.bytes(count.checked_mul(16)?)?;
        Some(bytes.as_chunks().0)
    }

    /// Reads the next codes of 1, 2 or 4 bytes.
    pub(super) fn codes(&mut self, count: usize, width: u8) -> Option<Codes> {
        match width {
            1 => self.bytes(count).map(|bytes| Codes::Byte(bytes.to_vec())),
            2 => self.u16s(count).map(Codes::Short),
            4 => self.u32s(count).map(Codes::Wide),
            _ => None,
        }
    }

    /// Returns true if all bytes were read.
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}
