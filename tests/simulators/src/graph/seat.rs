//! Limits concurrent requests to a mailbox to four, and delays sending mail.

use std::time::Duration;

use uuid::Uuid;

use super::error::GraphError;
use crate::call::Call;
use crate::hub::{Shared, lock};

/// Maximum concurrent requests of one application to one mailbox.
const SEATS: u32 = 4;

/// A permit for one concurrent request to a mailbox, released on drop.
pub(super) struct Seat<'a> {
    shared: &'a Shared,
    person: Uuid,
}

/// Acquires a permit if the request is for a mailbox, and waits if it sends mail.
pub(super) async fn take<'a>(
    shared: &'a Shared,
    person: Option<Uuid>,
    call: &Call,
) -> Result<Option<Seat<'a>>, GraphError> {
    let path = call.path();
    let (Some(person), ["v1.0", "me", what, ..]) = (person, path.as_slice()) else {
        return Ok(None);
    };
    let seat = Seat::take(shared, person)?;
    let ms = lock(shared).state.world.behaviour.mail_delay_ms;
    if *what == "sendMail" && ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    Ok(Some(seat))
}

impl<'a> Seat<'a> {
    fn take(shared: &'a Shared, person: Uuid) -> Result<Self, GraphError> {
        let mut tenant = lock(shared);
        let taken = tenant.in_flight.entry(person).or_default();
        if *taken >= SEATS {
            let text = "Application is over its MailboxConcurrency limit.";
            let error = GraphError::new(429, "ApplicationThrottled", text);
            return Err(error.header("retry-after", "1"));
        }
        *taken += 1;
        drop(tenant);
        Ok(Self { shared, person })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut tenant = lock(self.shared);
        if let Some(taken) = tenant.in_flight.get_mut(&self.person) {
            *taken = taken.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::state::TenantState;
    use crate::tenant::Tenant;
    use crate::world::World;

    #[test]
    fn four_requests_fit_and_each_makes_room_when_it_ends() {
        let tenant = Tenant::new(TenantState::from(World::default()));
        let shared: Shared = Arc::new(Mutex::new(tenant));
        let me = Uuid::from_u128(1);
        let mut seats: Vec<_> = (0..4).map(|_| Seat::take(&shared, me).ok()).collect();
        assert!(seats.iter().all(Option::is_some));
        assert!(Seat::take(&shared, me).is_err());
        assert!(Seat::take(&shared, Uuid::nil()).is_ok());
        seats.pop();
        assert!(Seat::take(&shared, me).is_ok());
    }
}
