//! The address filter: texts to include and texts to exclude, case-insensitive.

use super::config::EmailFilter;
use crate::base::text::fold;

/// An address filter whose texts are folded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    include: Vec<String>,
    exclude: Vec<String>,
}

/// The result of an address filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    NotIncluded,
    Excluded,
}

impl Addresses {
    pub(super) fn of(filter: &EmailFilter) -> Self {
        let folded = |texts: &std::collections::BTreeSet<String>| {
            texts.iter().filter_map(|text| fold(text)).collect()
        };
        Self {
            include: folded(&filter.include),
            exclude: folded(&filter.exclude),
        }
    }

    /// Checks an address; exclusion wins (C-30).
    pub(super) fn fit(&self, email: &str) -> Fit {
        let email = fold(email).unwrap_or_default();
        let has = |texts: &[String]| texts.iter().any(|text| email.contains(text.as_str()));
        if has(&self.exclude) {
            Fit::Excluded
        } else if self.include.is_empty() || has(&self.include) {
            Fit::Fits
        } else {
            Fit::NotIncluded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(include: &[&str], exclude: &[&str], email: &str) -> Fit {
        let set = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let filter = EmailFilter {
            include: set(include),
            exclude: set(exclude),
        };
        Addresses::of(&filter).fit(email)
    }

    /// Proves S3-31, S3-32, S3-35 and C-30: include any, exclusion wins, case-insensitive.
    #[test]
    fn addresses_are_included_and_excluded_by_texts() {
        assert_eq!(fit(&["@contoso.com"], &[], "Kay@Contoso.com"), Fit::Fits);
        assert_eq!(
            fit(&["@contoso.com", "@fabrikam.com"], &[], "a@fabrikam.com"),
            Fit::Fits
        );
        assert_eq!(
            fit(&["@contoso.com"], &[], "a@fabrikam.com"),
            Fit::NotIncluded
        );
        assert_eq!(fit(&[], &["svc-"], "SVC-backup@contoso.com"), Fit::Excluded);
        assert_eq!(
            fit(&["@contoso.com"], &["svc-"], "svc-1@contoso.com"),
            Fit::Excluded
        );
        assert_eq!(fit(&[], &["svc-"], "kay@contoso.com"), Fit::Fits);
    }
}
