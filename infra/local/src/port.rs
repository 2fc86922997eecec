//! Selection of the emulator's loopback port.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use crate::emulator_options::{EmulatorOptions, TASK};
use crate::error::LocalError;

/// First port for emulators with persisted state, which keep their port. It is below the range that
/// operating systems use for outgoing connections.
const FIRST_PERSISTENT_PORT: u16 = 14_566;
const PERSISTENT_PORTS: u16 = 100;

/// Returns true if no process listens on the port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Stores the port of a state folder.
pub(crate) fn remember(state: &Path, port: u16) -> Result<(), LocalError> {
    fs::write(state.join("port"), port.to_string())
        .map_err(|source| LocalError::io(TASK, "its port cannot be stored", source))
}

/// Returns the requested port, or the one stored in the state folder, or a free one for a new
/// folder.
pub(crate) fn fixed(options: &EmulatorOptions) -> Result<Option<u16>, LocalError> {
    if options.port.is_some() {
        return Ok(options.port);
    }
    let Some(state) = &options.state else {
        return Ok(None);
    };
    match fs::read_to_string(state.join("port")) {
        Ok(text) => match text.trim().parse() {
            Ok(port) => Ok(Some(port)),
            Err(error) => Err(LocalError::io(
                TASK,
                format!("{} contains no port", state.join("port").display()),
                io::Error::new(io::ErrorKind::InvalidData, error),
            )),
        },
        Err(_) => Ok(
            (FIRST_PERSISTENT_PORT..FIRST_PERSISTENT_PORT + PERSISTENT_PORTS)
                .find(|&port| is_free(port)),
        ),
    }
}

pub(crate) fn free() -> Result<u16, LocalError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| LocalError::io(TASK, "no free loopback port", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(state: &Path, port: Option<u16>) -> EmulatorOptions {
        EmulatorOptions {
            state: Some(state.to_owned()),
            region: "eu-west-1".to_owned(),
            log: state.join("log"),
            port,
        }
    }

    #[test]
    fn asked_for_beats_remembered_beats_chosen() {
        let state = tempfile::tempdir().unwrap();
        let chosen = fixed(&options(state.path(), None)).unwrap().unwrap();
        assert!(chosen >= FIRST_PERSISTENT_PORT);
        remember(state.path(), 4_242).unwrap();
        assert_eq!(fixed(&options(state.path(), None)).unwrap(), Some(4_242));
        assert_eq!(fixed(&options(state.path(), Some(7))).unwrap(), Some(7));
    }

    #[test]
    fn a_damaged_note_is_an_error_and_not_another_port() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("port"), "many").unwrap();
        let error = fixed(&options(state.path(), None)).unwrap_err();
        assert!(error.to_string().contains("contains no port"), "{error}");
    }
}
