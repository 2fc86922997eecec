//! Fuzzes arbitrary bytes, which must be rejected or described without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_domain::snapshot::describe::describe;
use rollcall_domain::snapshot::format::decode;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(description) = describe(bytes) {
        let usable = description.wrong().next().is_none();
        assert_eq!(usable, decode(bytes).is_ok());
        assert!(!description.to_string().is_empty());
    } else {
        assert!(decode(bytes).is_err());
    }
});
