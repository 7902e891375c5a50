//! A web server for one answer, which a browser on this machine brings.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Time for a request's head: browsers open connections ahead of need and say nothing on them.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Largest body that is read, in bytes. Entra's form is some 4 KB.
const BODY_LIMIT: usize = 64 * 1024;
/// Connections served at the same time.
const CONNECTIONS: usize = 32;
/// How long the last page may take to leave.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// Sent with every page: it may not be kept, framed, or load anything.
const HEADERS: [(&str, &str); 5] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// A listener on 127.0.0.1, closed when it is dropped.
pub struct Loopback {
    port: u16,
    visits: mpsc::Receiver<Visit>,
    accepting: JoinHandle<()>,
}

/// A request that waits for its page.
pub struct Visit {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, `/` for the root.
    pub path: String,
    /// What follows the question mark.
    pub query: Option<Zeroizing<String>>,
    /// The `Host` header.
    pub host: Option<String>,
    /// The body, at most 64 KiB.
    pub body: Zeroizing<Vec<u8>>,
    page: oneshot::Sender<Page>,
    /// Ends with the connection.
    gone: oneshot::Receiver<Infallible>,
}

/// What the browser shows.
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The document.
    pub html: String,
}

impl Loopback {
    /// Listens on `port`, 0 for any free one. Needs a running runtime.
    pub async fn listen(port: u16) -> Result<Self> {
        let cannot = |error: std::io::Error| {
            Error::failed(format!("Cannot listen for the browser's answer: {error}."))
                .remedy("Sign in with a code instead: --use-device-code.")
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(cannot)?;
        let port = listener.local_addr().map_err(cannot)?.port();
        let (sender, visits) = mpsc::channel(1);
        Ok(Self { port, visits, accepting: tokio::spawn(accept(listener, sender)) })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next request. Never returns without one.
    pub async fn visit(&mut self) -> Visit {
        match self.visits.recv().await {
            Some(visit) => visit,
            // The sender lives in the task, which ends with `self`.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Visit {
    /// Sends the page and goes on.
    pub fn answer(self, page: Page) {
        // A browser that has left needs none.
        let _ = self.page.send(page);
    }

    /// Sends the page and waits until it has left, two seconds at the most: the process ends next.
    pub async fn answer_and_part(self, page: Page) {
        let _ = self.page.send(page);
        let _ = tokio::time::timeout(FAREWELL_LIMIT, self.gone).await;
    }
}

async fn accept(listener: TcpListener, visits: mpsc::Sender<Visit>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let visits = visits.clone();
                tokio::spawn(async move {
                    serve(stream, visits).await;
                    drop(place);
                });
            }
            // Out of file descriptors, most likely: wait until some are closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Serves one request: a connection that stayed open would hold the last page back.
async fn serve(stream: TcpStream, visits: mpsc::Sender<Visit>) {
    let (_here, gone) = oneshot::channel();
    let gone = std::sync::Mutex::new(Some(gone));
    let service = service_fn(|request| {
        let gone = gone.lock().ok().and_then(|mut gone| gone.take());
        respond(request, visits.clone(), gone)
    });
    // An error is the browser's going away.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    visits: mpsc::Sender<Visit>,
    gone: Option<oneshot::Receiver<Infallible>>,
) -> Result<hyper::Response<Full<Bytes>>, &'static str> {
    let (head, body) = request.into_parts();
    let body = tokio::time::timeout(HEAD_LIMIT, Limited::new(body, BODY_LIMIT).collect());
    let body = body.await.ok().and_then(Result::ok).ok_or("too long")?.to_bytes();
    let (page, answer) = oneshot::channel();
    let visit = Visit {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(|query| Zeroizing::new(query.to_owned())),
        host: head.headers.get("host").and_then(|host| host.to_str().ok()).map(str::to_owned),
        body: Zeroizing::new(body.to_vec()),
        page,
        gone: gone.ok_or("a second request")?,
    };
    visits.send(visit).await.map_err(|_| "nobody listens")?;
    let page = answer.await.map_err(|_| "nobody answers")?;
    let mut response = hyper::Response::new(Full::new(Bytes::from(page.html)));
    *response.status_mut() = hyper::StatusCode::from_u16(page.status).unwrap_or_default();
    for (name, value) in HEADERS {
        let header = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(header.0, header.1);
    }
    Ok(response)
}
