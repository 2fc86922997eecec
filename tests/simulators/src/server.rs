//! The HTTP server: one port with a prefix per service, on a separate thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderName;
use axum::response::Response;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::call::{Call, Payload, Reply};
use crate::hub::Hub;
use crate::socket::{Cutter, Lines};
use crate::{acs, control, entra, graph, learn365, scim};

/// A running server; dropping it stops it.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Server {
    /// Binds 127.0.0.1:`port` and serves on a separate runtime, so that tests with runtimes of
    /// their own can share one server.
    pub(crate) async fn start(port: u16) -> io::Result<(Self, Arc<Hub>)> {
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        let hub = Arc::new(Hub::new(format!("http://{}", listener.local_addr()?)));
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let served = Arc::clone(&hub);
        thread::Builder::new()
            .name("simulators".to_owned())
            .spawn(move || {
                run(listener, served, ready, stopped);
                let _ = end.send(());
            })?;
        is_ready
            .await
            .map_err(|_| io::Error::other("the simulators' thread ended at once"))??;
        Ok((
            Self {
                stop: Some(stop),
                ended: Some(ended),
            },
            hub,
        ))
    }

    /// Stops the server and waits until its port is free.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }
}

fn run(
    listener: std::net::TcpListener,
    hub: Arc<Hub>,
    ready: oneshot::Sender<io::Result<()>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let app = Router::new().fallback(answer).with_state(hub);
        let service = app.into_make_service_with_connect_info::<Cutter>();
        let _ = ready.send(Ok(()));
        tokio::select! {
            _ = axum::serve(Lines(listener), service) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

async fn answer(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let cutter = request
        .extensions()
        .get::<ConnectInfo<Cutter>>()
        .map(|info| info.0.clone());
    let reply = match read(request).await {
        Some(call) => dispatch(&hub, call).await,
        None => Reply::empty(400),
    };
    if matches!(reply.body, Payload::Hangup)
        && let Some(cutter) = cutter
    {
        cutter.cut();
    }
    render(reply)
}

async fn dispatch(hub: &Arc<Hub>, call: Call) -> Reply {
    let prefix = call
        .target
        .trim_start_matches('/')
        .split(['/', '?'])
        .next()
        .unwrap_or_default();
    match prefix {
        "entra" => entra::handle(hub, &call).await,
        "graph" => graph::handle(hub, &call).await,
        "learn365" => learn365::handle(hub, &call).await,
        "scim" => scim::handle(hub, &call).await,
        "acs" => acs::handle(hub, &call),
        "control" => control::handle(hub, &call),
        _ => Reply::json(
            404,
            json!({"error": {"code": "NotFound", "message": "unknown prefix"}}),
        ),
    }
}

/// Reads a request; the body size is unlimited, because a control request may contain a world of
/// 200,000 users.
async fn read(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let headers = parts.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    let bytes = to_bytes(body, usize::MAX).await.ok()?;
    let body = String::from_utf8(bytes.to_vec()).ok()?;
    Some(Call::new(
        parts.method.as_str(),
        target,
        headers.collect(),
        body,
    ))
}

fn render(reply: Reply) -> Response {
    let (kind, body) = match reply.body {
        Payload::Empty | Payload::Hangup => (None, Body::empty()),
        Payload::Json(value) => (Some("application/json"), Body::from(value.to_string())),
        Payload::Broken(text) => (Some("application/json"), Body::from(text)),
        Payload::Text(text) => (Some("text/plain"), Body::from(text)),
        Payload::Bytes(bytes) => (None, Body::from(bytes)),
        Payload::Html(page) => (Some("text/html; charset=utf-8"), Body::from(page)),
    };
    let mut builder = Response::builder().status(reply.status.max(200));
    let named = reply.headers.iter().any(|(name, _)| name == "content-type");
    if let Some(kind) = kind.filter(|_| !named) {
        builder = builder.header("content-type", kind);
    }
    for (name, value) in reply.headers {
        if let Ok(name) = HeaderName::try_from(name) {
            builder = builder.header(name, value);
        }
    }
    builder
        .body(body)
        .unwrap_or_else(|_| Response::new(Body::empty()))
}
