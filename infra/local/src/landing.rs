//! A page in place of the console, which shows the result of a sign-in.

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::response::Html;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const PAGE: &str = include_str!("landing.html");

/// The page, served on a loopback port until it is dropped.
#[derive(Debug)]
pub struct Landing {
    origin: String,
    serving: JoinHandle<()>,
}

impl Landing {
    /// Serves the page on this port; 0 selects a free one.
    ///
    /// # Errors
    /// If the port is in use.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        // The console's pages have many paths.
        let router = Router::new().fallback(async || Html(PAGE));
        let serving = tokio::spawn(async move {
            // `axum::serve` returns no errors; the task runs until it is aborted.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { origin, serving })
    }

    /// Returns the origin, for the parameter `FrontendUrl`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
