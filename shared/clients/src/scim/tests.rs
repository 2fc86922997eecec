//! The client against a simulated service.
