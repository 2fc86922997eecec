//! A page in place of the console, which shows what a sign-in brought back to it.

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::response::Html;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const PAGE: &str = include_str!("landing.html");

/// The page, served on a loopback port; dropping it ends the server.
#[derive(Debug)]
pub struct Landing {
    origin: String,
    serving: JoinHandle<()>,
}

impl Landing {
    /// Serves on this port, 0 being any free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        // Whatever the path: the console has many pages to come back to.
        let router = Router::new().fallback(async || Html(PAGE));
        let serving = tokio::spawn(async move {
            // It has no errors of its own; it ends when it is aborted.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { origin, serving })
    }

    /// Its origin, for the parameter `FrontendUrl`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
