//! Integration tests: one binary, real protocols, a separate tenant for each test.
