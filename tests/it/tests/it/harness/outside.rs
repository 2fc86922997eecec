//! What is outside the service: the simulated tenant, its groups, enrolments, requests and mails.

use rollcall_domain::base::ids::{CourseId, ProfileId, UserId};
use rollcall_simulators::{Fault, FaultKind, TenantState};

use super::{App, people, platform, profile_id, unique_name};

impl App {
    /// Changes the members of a profile's group as people do in Entra: these
    /// people in, those out.
    pub(crate) fn edit_members(&self, title: &str, add: &[&str], remove: &[&str]) {
        let person = |name: &&str| people::id(self.id.uuid(), "person", name);
        let unique_name = unique_name(self.id, title);
        self.edit(|outside| {
            let group = outside
                .world
                .groups
                .iter_mut()
                .find(|group| group.unique_name.as_deref() == Some(unique_name.as_str()))
                .expect("the group exists");
            group.members.extend(add.iter().map(person));
            for gone in remove.iter().map(person) {
                group.members.remove(&gone);
            }
        });
    }

    /// How many pages of members the outside world was asked for.
    pub(crate) fn member_reads(&self) -> usize {
        let requests = self.simulators.requests(self.id.uuid());
        requests
            .iter()
            .filter(|request| request.method == "GET" && request.path.contains("/members?"))
            .count()
    }

    /// The outside world as it is now.
    pub(crate) fn outside(&self) -> TenantState {
        self.simulators
            .dump(self.id.uuid())
            .expect("the tenant is loaded")
    }

    /// Changes the outside world.
    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut TenantState) -> R) -> R {
        self.simulators
            .edit(self.id.uuid(), change)
            .expect("the tenant is loaded")
    }

    /// Makes the outside world misbehave.
    pub(crate) fn fault(&self, path: &str, kind: FaultKind, from: u32, times: u32) {
        self.simulators
            .add_fault(self.id.uuid(), Fault::once(path, kind).at(from, times));
    }

    /// Makes the outside world behave again.
    pub(crate) fn clear_faults(&self) {
        self.simulators.clear_faults(self.id.uuid());
    }

    /// Names of the members of a profile's group, sorted; `None` without a group.
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
            .map(|id| self.town.name_of(self.id.uuid(), *id))
            .collect();
        names.sort();
        Some(names)
    }

    /// Titles of the courses a profile's group is enrolled in, sorted.
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

    /// Paths of the writes the outside world has seen, `METHOD path`.
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

    /// Forgets the requests seen so far.
    pub(crate) fn forget_requests(&self) {
        self.simulators.clear_requests(self.id.uuid());
    }

    /// The id of a course by title.
    pub(crate) fn course(&self, title: &str) -> CourseId {
        CourseId::new(people::id(self.id.uuid(), "course", title))
    }

    /// The platform's id of a person by name.
    pub(crate) fn user(&self, name: &str) -> UserId {
        UserId::new(people::id(self.id.uuid(), "learner", name))
    }

    /// The name rules use for a custom field.
    pub(crate) fn field(&self, title: &str) -> String {
        format!("custom:{}", people::id(self.id.uuid(), "field", title))
    }

    /// Mails the emulated SES has accepted for an address.
    pub(crate) async fn mails_to(&self, address: &str) -> Vec<rollcall_local::mails::Mail> {
        let all = rollcall_local::mails::sent(&platform::shared().await.endpoint).await;
        let mut mine = all.expect("the emulator answers");
        mine.retain(|mail| mail.to.iter().any(|to| to == address));
        mine
    }
}
