//! Translates: settings, tracing, problem details, SQS batches, deadlines.
