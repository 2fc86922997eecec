//! Connections: the tenant's directory, and the accounts of catalogs.

use rollcall_domain::base::audit::{Action, Actor};
use rollcall_domain::connection::{
    AccountCapabilities, Cause, ConnectionStatus, EntraConnection, Fault, MailConnection,
    MailOptions,
};

use super::Table;
use crate::frozen::samples::{
    OTHER_TENANT, TENANT, able, account, ada, at, bare_event, catalog, event,
};

#[tokio::test]
async fn of_the_directory() {
    let table = Table::new("entra").await;
    let full = EntraConnection {
        status: ConnectionStatus::PendingConsent,
        since: at(0),
        by: ada(),
        pending_until: Some(at(600)),
        awaits_proof: true,
        directory: Some("Contoso".to_owned()),
        fault: Some(Fault::new(
            Cause::ConsentMissing,
            Some("AADSTS65001".to_owned()),
            at(1),
        )),
    };
    let bare = EntraConnection {
        status: ConnectionStatus::Connected,
        since: at(0),
        by: Actor::named("operator"),
        pending_until: None,
        awaits_proof: false,
        directory: None,
        fault: None,
    };
    let events = [event(2, Action::ConnectionBegun)];
    let put = table
        .store
        .put_entra_connection(TENANT, &full, None, &events);
    put.await.expect("not stored");
    for version in [None, Some(1)] {
        let put = table
            .store
            .put_entra_connection(OTHER_TENANT, &bare, version, &[]);
        put.await.expect("not stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}

fn full_mail() -> MailConnection {
    MailConnection {
        edition: 3,
        title: "Academy".to_owned(),
        options: MailOptions {
            enabled: true,
            use_azure_communication_services: true,
            organization_calendar: Some("calendar@contoso.example".to_owned()),
        },
        status: ConnectionStatus::Degraded,
        since: at(0),
        account: Some(account()),
        can: able(),
        by: Some(ada()),
        connected_at: Some(at(1)),
        used_at: Some(at(2)),
        fault: Some(Fault::new(Cause::MailRefused, None, at(3))),
        notice_pending: true,
        welcome_pending: true,
        grant: Some("0123456789abcdef".to_owned()),
        forget: true,
        draft_until: Some(at(600)),
    }
}

#[tokio::test]
async fn of_catalogs() {
    let table = Table::new("mail").await;
    let mut whole = MailConnection::not_configured(at(0));
    whole.status = ConnectionStatus::Connected;
    whole.account = Some(account());
    whole.can = AccountCapabilities::new(true, true);
    let connections = [
        (1, full_mail(), event(4, Action::ConnectionMade)),
        (2, whole, bare_event(5, Action::ConnectionMade)),
        (
            3,
            MailConnection::not_configured(at(0)),
            bare_event(6, Action::ConnectionSaved),
        ),
    ];
    for (number, connection, event) in connections {
        let (catalog, events) = (catalog(number), [event]);
        let put = table
            .store
            .put_mail_connection(TENANT, catalog, &connection, None, &events);
        put.await.expect("not stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}
