//! The outcome of a run: the full report as an object, and the notices about it.

use rollcall_clients::objects::{ObjectError, report_key};
use rollcall_domain::base::run::{Run, RunStatus};
use rollcall_domain::membership::report::{GraphUse, MaintenanceReport, ProfileStatus};
use rollcall_domain::notices::NoticeKind;
use rollcall_domain::snapshot::Property;

use crate::context::RunContext;
use crate::error::StepError;

/// Maximum number of invocations that wait for the platform to show a group or to respond.
pub(crate) const PLATFORM_TRIES: u32 = 10;

/// Collects the report of this invocation.
///
/// The run is unfinished if time ran out. It is also unfinished while the platform does not
/// show a group yet, for at most [`PLATFORM_TRIES`] invocations; then the next slot continues.
pub(crate) fn collect(context: &RunContext<'_>, out_of_time: bool) -> MaintenanceReport {
    let stats = context.graph_reader.stats();
    let mut profiles: Vec<_> = context
        .profiles
        .iter()
        .map(|entry| entry.report.clone())
        .collect();
    for (report, entry) in profiles.iter_mut().zip(&context.profiles) {
        report.courses = entry.state.managed.len();
    }
    let unfinished = profiles
        .iter()
        .any(|profile| profile.status == ProfileStatus::Unfinished);
    MaintenanceReport {
        unfinished: out_of_time || (unfinished && context.continuation < PLATFORM_TRIES),
        profiles,
        unreadable: context.unreadable.clone(),
        notes: missing_accounts(context).into_iter().collect(),
        graph: GraphUse {
            http: stats.http_requests,
            requests: stats.requests(),
            writes: stats.writes,
            min_writes: context.min_writes,
        },
    }
}

/// The number of users that the note about missing accounts names.
const NAMED: usize = 10;

/// Returns the note about users whose account does not exist, which is not a failure of any group.
fn missing_accounts(context: &RunContext<'_>) -> Option<String> {
    if context.missing.is_empty() {
        return None;
    }
    let snapshot = &context.snapshot;
    let rows = snapshot.people.rows_by_object();
    let names: Vec<&str> = context
        .missing
        .iter()
        .filter_map(|account| rows.get(account))
        .take(NAMED)
        .map(|row| {
            snapshot
                .people
                .property(Property::Title, *row)
                .unwrap_or("a user without a name")
        })
        .collect();
    let more = context.missing.len().saturating_sub(names.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!(
        "the learning platform lists an account that does not exist in Microsoft Entra (any more) \
         for: {}{more}; they are not added to groups",
        names.join(", ")
    ))
}

/// Stores the report of this invocation together with those of earlier ones, and adds its counts to
/// the run record. Returns the report of the whole run so far.
pub(crate) async fn store(
    context: &RunContext<'_>,
    run: &mut Run,
    invocation: MaintenanceReport,
) -> Result<MaintenanceReport, StepError> {
    let key = report_key(context.tenant.id, &Run::key(&run.request));
    let done = invocation.totals();
    let GraphUse {
        http,
        requests,
        writes,
        min_writes,
    } = invocation.graph;
    let mut report = invocation;
    if let Some(earlier) = earlier_report(context, run).await? {
        let updated = context.profiles.iter().filter(|entry| entry.updated);
        let updated = updated.map(|entry| entry.profile.id).collect();
        report.continue_from(earlier, &updated);
    }
    let bytes = serde_json::to_vec(&report)?;
    context
        .services
        .objects
        .put(&key, "application/json", bytes)
        .await?;
    run.report = Some(key);
    run.snapshot = Some(context.snapshot.header.id.clone());
    let totals = report.totals();
    let summed = [
        ("added", done.added as u64),
        ("removed", done.removed as u64),
        ("enrolments", done.enrolments as u64),
        ("graphHttp", http),
        ("graphRequests", requests),
        ("graphWrites", writes),
        ("graphFloor", min_writes),
        ("invocations", 1),
    ];
    for (name, count) in summed {
        *run.counts.entry(name.to_owned()).or_default() += count;
    }
    for (name, count) in [
        ("failed", totals.failed),
        ("deferred", totals.deferred),
        ("unreadable", report.unreadable.len()),
    ] {
        run.counts.insert(name.to_owned(), count as u64);
    }
    run.counts.retain(|name, _| !name.starts_with("profiles."));
    run.counts.extend(
        totals
            .profiles
            .into_iter()
            .map(|(status, count)| (format!("profiles.{status}"), count as u64)),
    );
    run.status = match (report.unfinished, report.failures().is_empty()) {
        (true, _) => RunStatus::Continuing,
        (false, true) => RunStatus::Succeeded,
        (false, false) => RunStatus::SucceededWithFailures,
    };
    Ok(report)
}

/// Returns the report of the earlier invocations of this run. One that expired or that another
/// release wrote is left out.
async fn earlier_report(
    context: &RunContext<'_>,
    run: &Run,
) -> Result<Option<MaintenanceReport>, StepError> {
    let Some(key) = run.report.as_ref().filter(|_| context.continuation > 0) else {
        return Ok(None);
    };
    match context.services.objects.get(key).await {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(ObjectError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the notices of a run: rules to review (S4-120, C-17) and failures (S4-012,
/// S4-134).
pub(crate) fn notices(
    context: &RunContext<'_>,
    run: &Run,
    report: &MaintenanceReport,
) -> Vec<NoticeKind> {
    let reviews = context
        .profiles
        .iter()
        .filter(|entry| entry.report.status == ProfileStatus::NeedsReview);
    let mut all: Vec<_> = reviews
        .map(|entry| NoticeKind::NeedsReview {
            profile: entry.profile.id,
            title: entry.profile.title.clone(),
            problems: entry
                .report
                .reason
                .iter()
                .flat_map(|reason| reason.split(" · "))
                .map(str::to_owned)
                .collect(),
            edited: entry.profile.modified_at,
        })
        .collect();
    let failures = report.failures();
    if !failures.is_empty() {
        all.push(failure(
            run,
            failures.into_iter().take(50).collect(),
            "All other changes were made; nothing in this list was changed.",
        ));
    }
    all
}

/// Returns the notice that a run failed, in part or as a whole. Job, slot and errors identify it,
/// so a repetition causes no second e-mail.
pub(crate) fn failure(run: &Run, errors: Vec<String>, consequence: &str) -> NoticeKind {
    NoticeKind::Failure {
        job: run.request.job.name().to_owned(),
        slot: run.request.slot.to_string(),
        errors,
        consequence: consequence.to_owned(),
    }
}
