//! The integration tests: one binary, real protocols, every test its own tenant.
