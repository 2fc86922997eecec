//! Reads the whole LMS into a snapshot, or changes nothing.
