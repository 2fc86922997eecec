//! Test support: a server with configurable responses, and a simulated tenant.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollcall_domain::base::ids::TenantId;
use rollcall_simulators::generate::{self, WorldSpec};
use rollcall_simulators::{Simulators, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::{Http, HttpSettings, RetryPolicy, Secret};

/// Returns a client with pauses in milliseconds instead of seconds.
pub(crate) fn quick() -> Http {
    let retry = RetryPolicy {
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(300),
        longest_wait: Duration::from_secs(3),
        tries: 5,
    };
    let patience = Duration::from_millis(900);
    let settings = HttpSettings {
        request_timeout: patience,
        long_read_timeout: patience,
        retry,
        ..HttpSettings::default()
    };
    Http::new(settings).expect("no client")
}

/// The reaction of the stub to a request.
pub(crate) enum Act {
    /// Sends these bytes and closes the connection.
    Answer(String),
    /// Leaves the connection open without a response.
    Silence,
}

/// Returns an HTTP response; each of the `headers` ends in CRLF.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(format!(
        "HTTP/1.1 {status} Said So\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    ))
}

/// A server that misbehaves on demand and records its requests.
pub(crate) struct Stub {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Starts a server; `act` receives each request (head and body) as text.
    pub(crate) async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("no free port");
        let url = format!("http://{}", listener.local_addr().expect("invalid address"));
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let (log, act) = (Arc::clone(&seen), Arc::new(act));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, act) = (Arc::clone(&log), Arc::clone(&act));
                tokio::spawn(async move {
                    let mut stream = stream;
                    let request = read_request(&mut stream).await;
                    log.lock().expect("poisoned lock").push(request.clone());
                    match act(&request) {
                        Act::Answer(bytes) => {
                            let _ = stream.write_all(bytes.as_bytes()).await;
                            let _ = stream.shutdown().await;
                        }
                        Act::Silence => tokio::time::sleep(Duration::from_mins(1)).await,
                    }
                });
            }
        });
        Self { url, seen }
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("poisoned lock").clone()
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (Vec::new(), vec![0_u8; 16_384]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        text.extend_from_slice(&buffer[..read]);
        let so_far = String::from_utf8_lossy(&text);
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else {
            if read == 0 {
                return so_far.into_owned();
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        });
        if read == 0 || body.len() >= length.unwrap_or(0_usize) {
            return so_far.into_owned();
        }
    }
}

/// The simulators with one generated tenant.
pub(crate) struct Tenant {
    pub(crate) simulators: Simulators,
    pub(crate) world: World,
}

impl Tenant {
    /// Starts a small tenant, modified by `arrange` before it is loaded.
    pub(crate) async fn start(arrange: impl FnOnce(&mut World)) -> Self {
        let simulators = Simulators::start(0).await.expect("no free port");
        let spec = WorldSpec {
            tenant: Uuid::from_u128(0x7e57),
            users: 60,
            ..WorldSpec::default()
        };
        let mut world = generate::world(&spec);
        arrange(&mut world);
        simulators.load(world.clone());
        Self { simulators, world }
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.world.tenant.id
    }

    pub(crate) fn id(&self) -> TenantId {
        TenantId::new(self.uuid())
    }

    pub(crate) fn client_id(&self) -> String {
        self.world.apps[0].client_id.to_string()
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret::new(self.world.apps[0].client_secret.as_str())
    }

    /// Returns method, path and query of the requests whose path contains `part`.
    pub(crate) fn asked(&self, part: &str) -> Vec<String> {
        let log = self.simulators.requests(self.uuid());
        let wanted = log.iter().filter(|request| request.path.contains(part));
        wanted
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }
}
