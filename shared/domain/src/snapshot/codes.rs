//! One code per row, stored as narrow in memory as the dictionary allows.

/// The code of a missing value; the first value of a dictionary has code 1.
pub const MISSING: u32 = 0;

/// Codes of one column. Equality compares the codes, not their width in memory.
#[derive(Debug, Clone)]
pub enum Codes {
    /// At most 255 distinct values.
    Byte(Vec<u8>),
    /// At most 65,535 distinct values.
    Short(Vec<u16>),
    /// More distinct values.
    Wide(Vec<u32>),
}

impl Codes {
    /// Stores codes of at most `highest` in the narrowest form.
    pub fn narrow(codes: Vec<u32>, highest: u32) -> Self {
        if let Ok(_fits) = u8::try_from(highest) {
            Self::Byte(cast(&codes, |code| u8::try_from(code).unwrap_or_default()))
        } else if let Ok(_fits) = u16::try_from(highest) {
            Self::Short(cast(&codes, |code| u16::try_from(code).unwrap_or_default()))
        } else {
            Self::Wide(codes)
        }
    }

    /// Returns the code of a row, or [`MISSING`] for a row outside the column.
    pub fn get(&self, row: u32) -> u32 {
        let row = row as usize;
        match self {
            Self::Byte(codes) => codes.get(row).map_or(MISSING, |code| u32::from(*code)),
            Self::Short(codes) => codes.get(row).map_or(MISSING, |code| u32::from(*code)),
            Self::Wide(codes) => codes.get(row).copied().unwrap_or(MISSING),
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Byte(codes) => codes.len(),
            Self::Short(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }

    /// Returns true if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the highest code in use, 0 if every value is missing.
    pub fn highest(&self) -> u32 {
        match self {
            Self::Byte(codes) => codes.iter().copied().max().map_or(0, u32::from),
            Self::Short(codes) => codes.iter().copied().max().map_or(0, u32::from),
            Self::Wide(codes) => codes.iter().copied().max().unwrap_or(0),
        }
    }

    /// Calls `each` with every row's code in order.
    pub fn for_each(&self, mut each: impl FnMut(u32)) {
        match self {
            Self::Byte(codes) => codes.iter().for_each(|code| each(u32::from(*code))),
            Self::Short(codes) => codes.iter().for_each(|code| each(u32::from(*code))),
            Self::Wide(codes) => codes.iter().for_each(|code| each(*code)),
        }
    }

    /// Returns the number of rows with this code.
    pub fn count(&self, wanted: u32) -> u32 {
        let mut count = 0;
        self.for_each(|code| count += u32::from(code == wanted));
        count
    }

    /// Returns all codes, widened.
    pub fn to_vec(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(self.len());
        self.for_each(|code| all.push(code));
        all
    }
}

impl Default for Codes {
    fn default() -> Self {
        Self::Byte(Vec::new())
    }
}

impl PartialEq for Codes {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Byte(a), Self::Byte(b)) => a == b,
            (Self::Short(a), Self::Short(b)) => a == b,
            (Self::Wide(a), Self::Wide(b)) => a == b,
            _ => self.to_vec() == other.to_vec(),
        }
    }
}

impl Eq for Codes {}

fn cast<T>(codes: &[u32], narrow: impl Fn(u32) -> T) -> Vec<T> {
    codes.iter().map(|code| narrow(*code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kept_as_narrow_as_they_fit() {
        for (highest, width) in [(255, 1), (256, 2), (65_535, 2), (65_536, 4)] {
            let codes = Codes::narrow(vec![0, highest, 1], highest);
            let found = match &codes {
                Codes::Byte(_) => 1,
                Codes::Short(_) => 2,
                Codes::Wide(_) => 4,
            };
            assert_eq!(found, width, "{highest}");
            assert_eq!(codes.to_vec(), [0, highest, 1]);
            assert_eq!((codes.get(1), codes.get(9)), (highest, MISSING));
            assert_eq!(codes.highest(), highest);
        }
    }

    #[test]
    fn width_makes_no_difference_to_equality() {
        assert_eq!(
            Codes::narrow(vec![1, 2], 2),
            Codes::narrow(vec![1, 2], 70_000)
        );
    }
}
