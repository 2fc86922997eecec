//! Makes groups and enrolments equal to the audiences.
