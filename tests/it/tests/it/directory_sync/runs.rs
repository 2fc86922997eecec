//! Complete runs: a first sync, a second one without changes, and changes of every kind.

use rollcall_domain::base::run::RunStatus;
use serde_json::json;

use super::{ENTERPRISE, SyncFixture, count, run_id};

/// Proves S2-04, S2-19, S2-23…S2-28, S2-33, S3-06 and S3-23: the first run creates every user with
/// manager and teams; the second one changes nothing.
#[tokio::test]
async fn a_first_run_makes_people_and_teams_and_a_second_one_nothing() {
    let mut fixture = SyncFixture::small().await;
    fixture.person("Ada", |ada| {
        ada.job_title = Some("Engineer".to_owned());
        ada.department = Some("R&D".to_owned());
    });
    let run = fixture
        .active(|body| body["defaultLanguage"] = json!("de"))
        .await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(
        (count(&run, "usersCreated"), count(&run, "teamsCreated")),
        (4, 2)
    );
    let users = fixture.users();
    let ada = &users["Ada"];
    assert_eq!(ada["userName"], "ada@contoso.example");
    assert_eq!(ada["externalId"], json!(fixture.id_of("Ada")));
    assert_eq!(
        (&ada["title"], &ada["preferredLanguage"]),
        (&json!("Engineer"), &json!("de"))
    );
    assert_eq!(ada[ENTERPRISE]["department"], "R&D");
    assert!(ada[ENTERPRISE]["manager"]["value"].is_string());
    let teams = fixture.teams();
    assert_eq!(teams["Peter Wright's team"], "Ada Alan Peter*");
    assert_eq!(teams["Sales"], "Ada Grace");
    fixture.app.forget_requests();
    let again = fixture.run().await;
    assert_eq!(again.status, RunStatus::Succeeded, "{again:?}");
    assert_eq!(fixture.written(), 0);
    assert_eq!(fixture.changes(&again, "").await, [""; 0]);
}

/// Proves S2-05, S2-06, S2-28, S2-29, S2-41 and C-35: changes in the directory are applied on the
/// platform, and users who leave are deactivated, not deleted.
#[tokio::test]
async fn changes_of_the_directory_are_followed() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.person("Peter", |it| it.display_name = "Peter Smith".to_owned());
    fixture.person("Alan", |it| it.account_enabled = false);
    fixture.manager("Ada", Some("Grace"));
    fixture.person("Ada", |it| {
        it.mail = Some("ada.wright@contoso.example".to_owned());
    });
    fixture.app.edit(|outside| {
        let grace = outside
            .world
            .people
            .iter()
            .find(|it| it.display_name == "Grace Wright");
        let id = grace.and_then(|it| it.object_id).expect("no such user");
        let sales = outside
            .world
            .groups
            .iter_mut()
            .find(|it| it.display_name == "Sales");
        sales.expect("no such group").members.remove(&id);
    });
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    let lines = fixture.changes(&run, "&state=done").await;
    insta::assert_snapshot!(sorted(lines), @r#"
    done Ada Wright: address from "ada@contoso.example" to "ada.wright@contoso.example"
    done Ada Wright: manager from Peter Wright to Grace Wright
    done Grace Wright leaves "Sales"
    done Peter Smith: name from "Peter Wright" to "Peter Smith"
    done archive the team "Peter Wright's team" with 3 members
    done create the team "Grace Wright's team" with 2 members
    done deactivate Alan Wright: the account is disabled in Microsoft Entra ID
    "#);
    assert_eq!(fixture.active_users(), ["Ada", "Grace", "Peter"]);
    assert_eq!(fixture.teams()["Peter Wright's team"], " archived");
}

fn sorted(mut lines: Vec<String>) -> String {
    lines.sort();
    lines.join("\n")
}

/// Proves S2-06: users deleted in the directory are deactivated on the platform; once restored in
/// the directory, they are reactivated.
#[tokio::test]
async fn the_deleted_are_deactivated_and_the_restored_brought_back() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let tenant = fixture.app.id.uuid();
    assert!(
        fixture
            .app
            .simulators
            .delete_user(tenant, fixture.id_of("Grace"))
    );
    let run = fixture.run().await;
    assert_eq!(count(&run, "usersDeactivated"), 1, "{run:?}");
    assert_eq!(fixture.active_users(), ["Ada", "Alan", "Peter"]);
    assert_eq!(fixture.users().len(), 4);
    assert!(
        fixture
            .app
            .simulators
            .restore_user(tenant, fixture.id_of("Grace"))
    );
    let run = fixture.run().await;
    assert_eq!(count(&run, "usersReactivated"), 1, "{run:?}");
    assert_eq!(fixture.active_users().len(), 4);
}

/// Proves S3-05 and X-14: manual changes on the platform are reverted, and the run reports them.
#[tokio::test]
async fn what_was_done_manually_is_undone_and_reported() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.by_hand("Ada", |ada| ada["displayName"] = json!("The Countess"));
    fixture.by_hand("Alan", |alan| alan["active"] = json!(false));
    let run = fixture.run().await;
    assert_eq!(count(&run, "manualOverwritten"), 2, "{run:?}");
    assert_eq!(fixture.users()["Ada"]["displayName"], "Ada Wright");
    let lines = fixture.changes(&run, "&state=done").await;
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with("(undoes a manual change)")),
        "{lines:?}"
    );
}

/// Proves S3-04: users and teams that exist only on the platform are not changed.
#[tokio::test]
async fn what_is_only_the_platforms_stays() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let (url, token) = (
        fixture.app.simulators.scim_url(fixture.app.id.uuid()),
        fixture
            .app
            .simulators
            .scim_token(fixture.app.id.uuid())
            .expect("no token"),
    );
    let local = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "local@other.example", "active": true, "name": {"givenName": "Local"},
    });
    let sent = reqwest::Client::new()
        .post(format!("{url}/Users"))
        .bearer_auth(token);
    let sent = sent
        .header("content-type", "application/scim+json")
        .body(local.to_string());
    assert_eq!(sent.send().await.expect("request failed").status(), 201);
    fixture.app.forget_requests();
    let run = fixture.run().await;
    assert_eq!((run.status, fixture.written()), (RunStatus::Succeeded, 0));
    assert!(fixture.active_users().contains(&"Local".to_owned()));
}

/// Proves S2-23: users without a required field are listed, and the others are synced.
#[tokio::test]
async fn who_lacks_a_required_field_is_listed() {
    let fixture = SyncFixture::small().await;
    fixture.person("Grace", |it| it.surname = None);
    let run = fixture.active(|_| ()).await;
    assert_eq!(
        (run.status, count(&run, "skipped")),
        (RunStatus::Succeeded, 1)
    );
    assert_eq!(fixture.active_users(), ["Ada", "Alan", "Peter"]);
    let lines = fixture.changes(&run, "&state=skipped").await;
    assert_eq!(
        lines,
        ["skipped Grace Wright has no last name in Microsoft Entra ID; enter it there"]
    );
}

/// Proves S2-36…S2-43 and X-06: the list of runs with name, address and picture of who started
/// them, and the details.
#[tokio::test]
async fn runs_are_listed_with_who_started_them() {
    let mut fixture = SyncFixture::small().await;
    let first = fixture.active(|_| ()).await;
    let scheduled = fixture.run().await;
    let page = fixture.owner.get("/v1/sync/runs").await.expect(200);
    let items = page.body["items"].as_array().expect("not a list");
    assert_eq!(items.len(), 2);
    let of = |run| {
        let id = run_id(run);
        items
            .iter()
            .find(|item| item["id"] == json!(id))
            .expect("not listed")
    };
    assert_eq!(of(&scheduled)["triggeredBy"], json!({"kind": "automatic"}));
    let manual = of(&first);
    assert_eq!(
        (&manual["status"], &manual["counts"]["usersCreated"]),
        (&json!("success"), &json!(4))
    );
    assert_eq!(manual["triggeredBy"]["kind"], "manual");
    assert_eq!(manual["triggeredBy"]["email"], json!(fixture.owner.name));
    assert!(manual["triggeredAt"].is_string());
    let photo = manual["triggeredBy"]["photo"]
        .as_str()
        .expect("no picture")
        .to_owned();
    fixture.owner.get(&photo).await.expect(404);
    let who = fixture.owner.object;
    fixture.app.edit(|outside| {
        outside.photos.insert(who, Vec::new());
        let mut somebody = outside.world.people[0].clone();
        somebody.object_id = Some(who);
        somebody.upn = "owner@contoso.example".to_owned();
        somebody.mail = None;
        outside.world.people.push(somebody);
    });
    let picture = fixture.owner.raw("GET", &photo).await;
    assert_eq!((picture.0, picture.1.as_str()), (200, "image/jpeg"));
    let one = fixture
        .owner
        .get(&format!("/v1/sync/runs/{}", run_id(&first)))
        .await
        .expect(200);
    assert_eq!(one.body, *manual);
    let stranger = fixture.app.admin_of(uuid::Uuid::new_v4(), &["Owner"]);
    stranger
        .get(&format!("/v1/sync/runs/{}", run_id(&first)))
        .await
        .expect(404);
}

/// Proves C-34: a run can be started manually, once a minute.
#[tokio::test]
async fn a_run_is_started_manually() {
    let fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let asked = fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(202);
    let place = asked.header("location").to_owned();
    fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(429);
    fixture.work().await.expect("no run recorded");
    let run = fixture.owner.get(&place).await.expect(200);
    assert_eq!(run.body["status"], "success");
}
