//! Receives the browser back from Microsoft's sign-in.
