//! The demo: a realistic tenant, processed by both jobs on the deployed functions.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rollcall_app::Services;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::schedule::Job;

use crate::demo_options::{DemoOptions, TENANT};
use crate::demo_world::DemoWorld;
use crate::describe::EXTENSION;
use crate::error::Error;
use crate::stack::{Stack, StackOptions};
use crate::summary::{MailLine, Summary};
use crate::{mails, processes, tenant};

/// Maximum duration of a job, sufficient for the largest demo.
const PATIENCE: Duration = Duration::from_mins(14);
/// Maximum time to wait until all notices are delivered, which usually takes seconds.
const MAIL_PATIENCE: Duration = Duration::from_secs(20);

/// Runs the demo and returns its summary.
///
/// # Errors
/// The first failure, as a message.
pub async fn demo(
    options: &DemoOptions,
    stack: &StackOptions,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Summary, Error> {
    let begun = Instant::now();
    let state = options.state();
    std::fs::create_dir_all(&state)?;
    let scene = DemoWorld::set(options, &state)?;
    let stack = Stack::up(
        &StackOptions {
            state: Some(state.join("emulator")),
            ..stack.clone()
        },
        progress,
    )
    .await?;
    stack.simulators.restore(scene.tenant.clone());
    let mut seconds = BTreeMap::from([("start".to_owned(), begun.elapsed().as_secs_f64())]);
    let mut summary = play(&stack, &scene, &mut seconds, progress).await?;
    summary.problems = scene.problems;
    export(
        &stack.services,
        &scene.profiles,
        &mut summary,
        &options.members(),
    )
    .await?;
    if let Some(state_now) = stack.simulators.dump(scene.tenant.world.tenant.id) {
        std::fs::write(state.join("outside.json"), serde_json::to_vec(&state_now)?)?;
    }
    progress("Stopping the emulator");
    stack.down().await?;
    seconds.insert("total".to_owned(), begun.elapsed().as_secs_f64());
    summary.seconds = seconds
        .into_iter()
        .map(|(stage, value)| (stage, (value * 10.0).round() / 10.0))
        .collect();
    Ok(summary)
}

async fn play(
    stack: &Stack,
    scene: &DemoWorld,
    seconds: &mut BTreeMap<String, f64>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Summary, Error> {
    let services = &stack.services;
    let mailed = mails::sent(stack.emulator.endpoint()).await?.len();
    progress("Saving settings and profiles as an administrator would");
    let tenant_run = tenant::set_up(services, &scene.tenant.world).await?;
    tenant::put_profiles(services, tenant_run.id, &scene.profiles).await?;
    let clock = Instant::now();
    progress("Data refresh: refresh-job reads Learn365");
    let refresh = tenant::run(services, &tenant_run, Job::Refresh, PATIENCE, progress).await?;
    seconds.insert("refresh".to_owned(), clock.elapsed().as_secs_f64());
    if refresh.snapshot.is_none() {
        return Err(format!("the refresh {}", tenant::ending(&refresh)).into());
    }
    let clock = Instant::now();
    progress("Maintenance: maintenance-job evaluates, fills groups, enrols");
    let maintenance =
        tenant::run(services, &tenant_run, Job::Maintenance, PATIENCE, progress).await?;
    seconds.insert("maintenance".to_owned(), clock.elapsed().as_secs_f64());
    let report = tenant::report(services, &maintenance).await?;
    let mut summary = Summary::of(&scene.tenant.world.tenant.name, &report);
    // The record counts all invocations of the run, the report only the last one.
    summary.graph.http = maintenance
        .counts
        .get("graphHttp")
        .copied()
        .unwrap_or(summary.graph.http);
    summary.graph.requests = maintenance
        .counts
        .get("graphRequests")
        .copied()
        .unwrap_or(summary.graph.requests);
    summary.graph.writes = maintenance
        .counts
        .get("graphWrites")
        .copied()
        .unwrap_or(summary.graph.writes);
    summary.graph.min_writes = maintenance
        .counts
        .get("graphFloor")
        .copied()
        .unwrap_or(summary.graph.min_writes);
    summary.data = refresh.counts;
    progress("Waiting for the notifier");
    summary.mails = new_mails(stack, mailed).await?;
    summary.memory_mib = processes::peaks(stack.emulator.endpoint());
    Ok(summary)
}

/// Waits until the notice queue is empty; returns the mail messages of this demo.
async fn new_mails(stack: &Stack, before: usize) -> Result<Vec<MailLine>, Error> {
    let begun = Instant::now();
    while !stack.services.notice_queue.is_idle().await? && begun.elapsed() < MAIL_PATIENCE {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let all = mails::sent(stack.emulator.endpoint()).await?;
    Ok(all
        .into_iter()
        .skip(before)
        .map(|mail| MailLine {
            to: mail.to,
            subject: mail.subject,
        })
        .collect())
}

/// Stores the member lists and the snapshot in `folder`.
async fn export(
    services: &Services,
    profiles: &[Profile],
    summary: &mut Summary,
    folder: &Path,
) -> Result<(), Error> {
    std::fs::create_dir_all(folder)?;
    let tenant = rollcall_domain::base::ids::TenantId::new(TENANT);
    let states = services.store.profile_states(tenant).await?;
    for profile in profiles {
        let Some(key) = states
            .get(&profile.id)
            .and_then(|state| state.members_file.as_ref())
        else {
            continue;
        };
        let name: String = profile
            .title
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        let file = folder.join(format!("{name}.xlsx"));
        std::fs::write(&file, services.objects.get(key).await?)?;
        if let Some(line) = summary
            .profiles
            .iter_mut()
            .find(|line| line.title == profile.title)
        {
            line.file = Some(file.display().to_string());
        }
    }
    // `rollcall describe` reads this file.
    if let Some(pointer) = services.store.snapshot_pointer(tenant).await? {
        let file = folder.join("snapshot").with_extension(EXTENSION);
        std::fs::write(file, services.objects.get(&pointer.key).await?)?;
    }
    Ok(())
}
