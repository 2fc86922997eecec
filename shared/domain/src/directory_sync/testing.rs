//! Test data for the directory sync.

use uuid::Uuid;

use super::source::DirectoryPerson;
use crate::base::ids::ObjectId;

/// Returns the object id of a test user or group.
pub fn person_id(number: u32) -> ObjectId {
    ObjectId::new(Uuid::from_u128(0xd1_0000_0000 + u128::from(number)))
}

/// Returns a directory user with all fields set; the number makes the values unique.
pub fn person(number: u32) -> DirectoryPerson {
    DirectoryPerson {
        first_name: Some(format!("First{number}")),
        last_name: Some(format!("Last{number}")),
        display_name: Some(format!("First{number} Last{number}")),
        email: Some(format!("person-{number}@contoso.example")),
        sign_in_name: Some(format!("person-{number}@contoso.example")),
        job_title: Some("Consultant".to_owned()),
        department: Some("Sales".to_owned()),
        guest: false,
        enabled: true,
        manager: None,
    }
}
