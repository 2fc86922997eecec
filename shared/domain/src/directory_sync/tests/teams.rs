//! Teams are archived and restored.

use super::*;

/// Proves S2-29: the team of a manager without reports is emptied and archived; a group's team that
/// is only empty is not.
#[test]
fn a_team_that_no_one_needs_is_archived() {
    let config = config();
    let (mut directory, platform) = settled(&config);
    for number in [2, 3] {
        directory
            .people
            .get_mut(&id(number))
            .expect("user not found")
            .manager = None;
    }
    directory
        .groups
        .get_mut(&id(90))
        .expect("group not found")
        .members
        .clear();
    let plan = Side::new(&config, &directory).plan(&platform);
    let after = carry_out(&platform, &plan.changes);
    let archived: Vec<_> = after
        .teams
        .values()
        .map(|team| (team.name.as_str(), team.members.len(), team.archived))
        .collect();
    assert!(
        archived.contains(&("First1 Last1's team", 0, true)),
        "{archived:?}"
    );
    assert!(archived.contains(&("Sales", 0, false)), "{archived:?}");
    assert_eq!(plan.counts().teams_archived, 1);
    // A platform without archiving: the emptied team stays as it is.
    let mut input = PlanInput {
        config: &config,
        directory: &directory,
        matches_graph_filter: None,
        platform: &after,
        features: Features {
            supervisors: false,
            ..Features::ALL
        },
        pins: &Pins::default(),
        before: None,
    };
    assert!(plan_of(input).is_empty());
    directory_deletes_group(&mut input, &after);
}

fn plan_of(input: PlanInput<'_>) -> SyncPlan {
    plan(input)
}

/// The team of a deleted group is archived.
fn directory_deletes_group(input: &mut PlanInput<'_>, platform: &Platform) {
    let mut directory = input.directory.clone();
    directory.groups.clear();
    let plan = plan(PlanInput {
        directory: &directory,
        features: Features::ALL,
        platform,
        ..*input
    });
    assert_eq!(lines(&plan), ["archive the team \"Sales\" with 0 members"]);
}
