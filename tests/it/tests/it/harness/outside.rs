//! The simulated world outside the service: the tenant, its groups, enrolments, requests and mail.

use rollcall_domain::base::ids::{CourseId, ProfileId, UserId};
use rollcall_simulators::{Fault, FaultKind, TenantState};

use super::{TestApp, people, platform, profile_id, unique_name};

impl TestApp {
    /// Changes the members of a profile's group as users do in Entra.
    pub(crate) fn edit_members(&self, title: &str, add: &[&str], remove: &[&str]) {
        let person = |name: &&str| people::id(self.id.uuid(), "person", name);
        let unique_name = unique_name(self.id, title);
        self.edit(|outside| {
            let group = outside
                .world
                .groups
                .iter_mut()
                .find(|group| group.unique_name.as_deref() == Some(unique_name.as_str()))
                .expect("no such group");
            group.members.extend(add.iter().map(person));
            for gone in remove.iter().map(person) {
                group.members.remove(&gone);
            }
        });
    }

    /// Returns how many pages of members were read from Graph.
    pub(crate) fn member_reads(&self) -> usize {
        let requests = self.simulators.requests(self.id.uuid());
        requests
            .iter()
            .filter(|request| request.method == "GET" && request.path.contains("/members?"))
            .count()
    }

    /// Returns the current state of the simulated world.
    pub(crate) fn outside(&self) -> TenantState {
        self.simulators
            .dump(self.id.uuid())
            .expect("tenant not loaded")
    }

    /// Changes the simulated world.
    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut TenantState) -> R) -> R {
        self.simulators
            .edit(self.id.uuid(), change)
            .expect("tenant not loaded")
    }

    /// Makes requests to the simulated services fail.
    pub(crate) fn fault(&self, path: &str, kind: FaultKind, from: u32, times: u32) {
        self.simulators
            .add_fault(self.id.uuid(), Fault::once(path, kind).at(from, times));
    }

    /// Removes all faults.
    pub(crate) fn clear_faults(&self) {
        self.simulators.clear_faults(self.id.uuid());
    }

    /// Returns the names of the members of a profile's group, sorted; `None` without a group.
    pub(crate) fn members(&self, title: &str) -> Option<Vec<String>> {
        self.members_of(profile_id(self.id, title))
    }

    /// The same by the profile's id.
    pub(crate) fn members_of(&self, id: ProfileId) -> Option<Vec<String>> {
        let outside = self.outside();
        let group = outside.group_by_unique_name(&format!("rollcall-{}", id.uuid().simple()))?;
        let mut names: Vec<String> = group
            .members
            .iter()
            .map(|id| self.tenant.name_of(self.id.uuid(), *id))
            .collect();
        names.sort();
        Some(names)
    }

    /// Returns the titles of the courses in which a profile's group is enrolled, sorted.
    pub(crate) fn enrolled(&self, title: &str) -> Vec<String> {
        self.enrolled_of(profile_id(self.id, title))
    }

    /// The same by the profile's id.
    pub(crate) fn enrolled_of(&self, id: ProfileId) -> Vec<String> {
        let outside = self.outside();
        let unique_name = format!("rollcall-{}", id.uuid().simple());
        let Some(group) = outside.group_by_unique_name(&unique_name) else {
            return Vec::new();
        };
        let mut titles: Vec<String> = outside
            .world
            .courses
            .iter()
            .filter(|course| outside.is_group_enrolled(group.id, course.id))
            .map(|course| course.title.clone())
            .collect();
        titles.sort();
        titles
    }

    /// Returns the write requests as `METHOD path`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.simulators.requests(self.id.uuid());
        requests
            .iter()
            .filter(|request| {
                request.method != "GET"
                    && !request.path.contains("/token")
                    && !request.path.contains("$batch")
            })
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }

    /// Deletes the recorded requests.
    pub(crate) fn forget_requests(&self) {
        self.simulators.clear_requests(self.id.uuid());
    }

    /// Returns the id of a course.
    pub(crate) fn course(&self, title: &str) -> CourseId {
        CourseId::new(people::id(self.id.uuid(), "course", title))
    }

    /// Returns a user's id on the platform.
    pub(crate) fn user(&self, name: &str) -> UserId {
        UserId::new(people::id(self.id.uuid(), "learner", name))
    }

    /// Returns the name of a custom field in rules.
    pub(crate) fn field(&self, title: &str) -> String {
        format!("custom:{}", people::id(self.id.uuid(), "field", title))
    }

    /// Returns the mail messages to an address that the emulated SES accepted.
    pub(crate) async fn mails_to(&self, address: &str) -> Vec<rollcall_local::mails::Mail> {
        let all = rollcall_local::mails::sent(&platform::shared().await.endpoint).await;
        let mut mine = all.expect("emulator request failed");
        mine.retain(|mail| mail.to.iter().any(|to| to == address));
        mine
    }
}
