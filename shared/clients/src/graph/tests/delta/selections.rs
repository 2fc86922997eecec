//! Tests of reading users by filter, deleted users, group names and pictures.

use super::*;

#[tokio::test]
async fn people_are_counted() {
    let (tenant, ids) = tenant_with(321, |_| {}).await;
    let counted = graph_of(&tenant).count_people().await;
    assert_eq!(counted.expect("a number"), ids.len() as u64);
    let log = tenant.simulators.requests(tenant.uuid());
    let request = log.iter().find(|it| it.path.contains("$count"));
    assert_eq!(
        request.expect("asked").headers["consistencylevel"],
        "eventual"
    );

    for (body, expected) in [("\u{feff}42", Some(42)), ("many", None)] {
        let stub = Stub::start(move |request| {
            if request.contains("/oauth2/") {
                let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"tok"}"#;
                return reply(200, "", token);
            }
            reply(200, "Content-Type: text/plain\r\n", body)
        })
        .await;
        let entra = Entra::new(quick(), &stub.url).expect("invalid URL");
        let tenant = TenantId::new(Uuid::from_u128(1));
        let tokens = TokenSource::new(entra, tenant, "app", Secret::new("app-secret"));
        let graph = GraphReader::new(quick(), &stub.url, tokens).expect("invalid URL");
        assert_eq!(graph.count_people().await.ok(), expected);
    }
}

#[tokio::test]
async fn the_deleted_are_reported_until_they_are_back() {
    let (tenant, ids) = tenant_with(1_100, |_| {}).await;
    let graph = graph_of(&tenant);
    assert!(
        graph
            .deleted_people()
            .await
            .expect("users not read")
            .is_empty()
    );
    let gone = &ids[..1_050];
    edit(&tenant, |state| {
        assert!(gone.iter().all(|id| state.delete_user(id.uuid())));
    });
    let deleted = graph.deleted_people().await.expect("not read");
    assert_eq!(deleted, gone.iter().copied().collect());
    assert_eq!(
        tenant.asked("/deletedItems/").len(),
        3,
        "not all pages were read"
    );
    assert!(tenant.simulators.restore_user(tenant.uuid(), ids[0].uuid()));
    let deleted = graph.deleted_people().await.expect("not read");
    assert!(!deleted.contains(&ids[0]) && deleted.len() == 1_049);
}

/// Returns a directory in which all users but the first have this department.
async fn with_department() -> (Tenant, Vec<ObjectId>) {
    tenant_with(1_201, |world| {
        for person in &mut world.people {
            person.department = Some("R&D+ 'Süd'".to_owned());
        }
        world.people[0].department = None;
    })
    .await
}

const FILTER: &str = " department eq 'R&D+ ''Süd''' ";

#[tokio::test]
async fn who_fits_a_filter_is_listed_completely() {
    let (tenant, ids) = with_department().await;
    let graph = graph_of(&tenant);
    let fitting = graph.fitting_people(FILTER).await.expect("users not read");
    assert_eq!(fitting, ids[1..].iter().copied().collect());
    assert_eq!(graph.try_filter(FILTER).await.expect("not counted"), 1_200);
    let nobody = graph.fitting_people("department eq 'None'").await;
    assert!(nobody.expect("users not read").is_empty());
}

#[tokio::test]
async fn a_cut_page_of_who_fits_is_noticed() {
    for (times, is_whole) in [(1, true), (u32::MAX, false)] {
        let (tenant, _) = with_department().await;
        let cut = Fault::once("/v1.0/users?", FaultKind::TruncatedPage).at(1, times);
        tenant.simulators.add_fault(tenant.uuid(), cut);
        match graph_of(&tenant).fitting_people(FILTER).await {
            Ok(fitting) => assert!(is_whole && fitting.len() == 1_200),
            Err(GraphError::Api(ApiError::Incomplete {
                expected, found, ..
            })) => assert!(!is_whole && (expected, found) == (1_200, 499)),
            Err(error) => panic!("{error}"),
        }
    }
    let (_stub, graph) = stub_graph(|_, _| (200, json!({ "value": [] }))).await;
    let error = graph
        .fitting_people(FILTER)
        .await
        .expect_err("a missing count was accepted");
    assert!(error.to_string().contains("@odata.count"), "{error}");
    let error = graph
        .try_filter(FILTER)
        .await
        .expect_err("a missing count was accepted");
    assert!(
        error.to_string().contains("the count is missing"),
        "{error}"
    );
}

/// An administrator can read Graph's message about an invalid filter.
#[tokio::test]
async fn a_wrong_filter_is_refused_in_the_words_of_graph() {
    let (tenant, _) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    for (filter, says) in [
        ("department eq", "Syntax error at position 13"),
        ("shoeSize eq '9'", "'shoeSize' of resource 'User'"),
    ] {
        let tried = graph.try_filter(filter).await.expect_err(filter);
        let GraphError::Api(error) = &tried else {
            panic!("{tried}");
        };
        assert_eq!(error.status(), Some(400));
        assert!(error.message().contains(says), "{}", error.message());
        let read = graph.fitting_people(filter).await.expect_err(filter);
        assert_eq!(read.status(), Some(400));
    }
}

#[tokio::test]
async fn groups_that_exist_have_names() {
    let (tenant, _) = tenant_with(20, |world| {
        let numbers = 0x700..0x700 + 45;
        world
            .groups
            .extend(numbers.map(|it| group(object(it), &[])));
    })
    .await;
    let graph = graph_of(&tenant);
    let asked = (0x700..0x700 + 45).chain([0xdead]).map(object);
    let names = graph.group_names(asked).await.expect("names not read");
    assert_eq!(names.len(), 45);
    assert!(names.values().all(|name| name == "Test"));
    assert!(!names.contains_key(&object(0xdead)));
    assert_eq!(tenant.asked("$batch").len(), 3);
    assert!(graph.group_names([]).await.expect("not read").is_empty());

    let down = FaultKind::Status {
        code: 403,
        retry_after: None,
        body: None,
    };
    let fault = Fault::once("/groups/", down).at(2, 1);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let error = graph.group_names([object(0x700), object(0x701)]).await;
    assert_eq!(
        error.expect_err("an incomplete list was accepted").status(),
        Some(403)
    );
}

#[tokio::test]
async fn a_picture_is_there_or_not() {
    let (tenant, ids) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    edit(&tenant, |state| {
        state
            .photos
            .insert(ids[0].uuid(), b"\xff\xd8\xff a picture".to_vec());
        state.photos.insert(ids[1].uuid(), vec![0; 5 * 1024 * 1024]);
    });
    let picture = graph.picture(ids[0]).await.expect("no response");
    let expected = Picture {
        media_type: "image/jpeg".to_owned(),
        bytes: b"\xff\xd8\xff a picture".to_vec(),
    };
    assert_eq!(picture, Some(expected));
    let too_large = graph.picture(ids[1]).await.expect("no response");
    assert_eq!(too_large, None);
    assert_eq!(graph.picture(ids[2]).await.expect("no response"), None);
    assert_eq!(graph.picture(object(9)).await.expect("no response"), None);
    let (_stub, graph) = stub_graph(|_, _| (200, json!("<svg onload=alert(1)>"))).await;
    assert_eq!(graph.picture(ids[0]).await.expect("no picture"), None);
}
