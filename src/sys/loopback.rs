//! The web server that receives the redirect of a browser sign-in.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, Id, JoinHandle};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Time for a request's head, and again for its body. Browsers open spare connections that stay
/// silent.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Largest accepted body, in bytes. Entra's form has about 4 KB.
const BODY_LIMIT: usize = 64 * 1024;
/// Largest accepted head, in bytes. It holds the cookies of every other server on `localhost`.
const HEAD_SIZE: usize = 64 * 1024;
/// Most connections without a complete request at the same time.
const CONNECTIONS: usize = 128;
/// Most ports to try.
const TRIES: usize = 16;
/// Time to send the last page.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// The headers of every page. They forbid caching, framing and loading of resources.
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

/// A listener on 127.0.0.1 and `::1`, closed on drop.
///
/// Browsers use either address for `localhost`. If one were free, another user of the machine could
/// listen on it and receive the authorization code.
pub(crate) struct Loopback {
    port: u16,
    visits: mpsc::Receiver<Visit>,
    accepting: Vec<JoinHandle<()>>,
}

/// A request that waits for a page.
pub(crate) struct Visit {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// The path, `/` for the root.
    pub(crate) path: String,
    /// The query, without the question mark.
    pub(crate) query: Option<Zeroizing<String>>,
    /// The `Host` header.
    pub(crate) host: Option<String>,
    /// The body, at most 64 KiB.
    pub(crate) body: Zeroizing<Vec<u8>>,
    page: oneshot::Sender<Page>,
    /// Resolves when the connection has closed.
    gone: oneshot::Receiver<Infallible>,
}

/// The page that the browser shows.
pub(crate) struct Page {
    /// HTTP status.
    pub(crate) status: u16,
    /// The document.
    pub(crate) html: String,
}

impl Loopback {
    /// Listens on `port`; 0 selects a port that is free on both addresses. Needs a running runtime.
    ///
    /// # Errors
    /// Another program listens on one of the addresses.
    pub(crate) async fn listen(port: u16) -> Result<Self> {
        let (port, listeners) = bind(port).await.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::AddrInUse if port > 0 => format!(
                    "another program on this machine listens on port {port} and could receive it"
                ),
                _ => error.to_string(),
            };
            Error::failed(format!("Cannot listen for the browser's answer: {why}."))
                .remedy("Sign in with a code instead: --use-device-code.")
        })?;
        let (sender, visits) = mpsc::channel(1);
        let unread = Unread::default();
        let accepting = listeners
            .into_iter()
            .map(|listener| tokio::spawn(accept(listener, sender.clone(), unread.clone())))
            .collect();
        Ok(Self { port, visits, accepting })
    }

    /// Returns the port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the next request.
    pub(crate) async fn visit(&mut self) -> Visit {
        match self.visits.recv().await {
            Some(visit) => visit,
            // Unreachable: the senders live in the tasks, which end with `self`.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.iter().for_each(JoinHandle::abort);
    }
}

impl Visit {
    /// Sends the page without waiting for delivery.
    pub(crate) fn answer(self, page: Page) {
        // Fails only if the browser has closed the connection.
        let _ = self.page.send(page);
    }

    /// Sends the page and waits at most two seconds until it is delivered, because the process may
    /// end next.
    pub(crate) async fn answer_and_part(self, page: Page) {
        let _ = self.page.send(page);
        let _ = tokio::time::timeout(FAREWELL_LIMIT, self.gone).await;
    }
}

/// Binds one port on both loopback addresses, or on 127.0.0.1 alone if the machine has no IPv6,
/// where no other program can listen on `::1` either.
async fn bind(port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    // Held until the end, so that the system offers no port twice.
    let mut taken = Vec::new();
    loop {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let found = v4.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, found)).await {
            Ok(v6) => return Ok((found, vec![v4, v6])),
            Err(error) if is_without_ipv6(&error) => return Ok((found, vec![v4])),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse || port > 0 => {
                return Err(error);
            }
            Err(error) if taken.len() + 1 == TRIES => return Err(error),
            Err(_) => taken.push(v4),
        }
    }
}

#[cfg(unix)]
fn is_without_ipv6(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

#[cfg(not(unix))]
fn is_without_ipv6(error: &io::Error) -> bool {
    const WSAEAFNOSUPPORT: i32 = 10047;
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(WSAEAFNOSUPPORT)
}

/// The connections without a complete request, the oldest first.
///
/// Any program on this machine can open many silent connections. The browser's is probably among
/// the newest, so the oldest is dropped at the limit.
#[derive(Clone, Default)]
struct Unread(Arc<Mutex<VecDeque<AbortHandle>>>);

impl Unread {
    fn all(&self) -> MutexGuard<'_, VecDeque<AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, connection: AbortHandle) {
        let mut all = self.all();
        if all.len() == CONNECTIONS {
            all.pop_front().inspect(AbortHandle::abort);
        }
        all.push_back(connection);
    }

    /// Removes a connection that has sent its request or has closed.
    fn remove(&self, connection: Id) {
        self.all().retain(|it| it.id() != connection);
    }

    fn drop_oldest(&self) {
        self.all().pop_front().inspect(AbortHandle::abort);
    }
}

async fn accept(listener: TcpListener, visits: mpsc::Sender<Visit>, unread: Unread) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let task = tokio::spawn(serve(stream, visits.clone(), unread.clone()));
            unread.add(task.abort_handle());
            // Lets the task read what has arrived before more connections can displace it.
            tokio::task::yield_now().await;
        } else {
            // Probably out of file descriptors.
            unread.drop_oldest();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Serves one request, without keep-alive: [`Visit::answer_and_part`] waits for the connection to
/// close.
async fn serve(stream: TcpStream, visits: mpsc::Sender<Visit>, unread: Unread) {
    let (_here, gone) = oneshot::channel();
    let gone = std::sync::Mutex::new(Some(gone));
    let service = service_fn(|request| {
        let gone = gone.lock().ok().and_then(|mut gone| gone.take());
        respond(request, visits.clone(), unread.clone(), gone)
    });
    // An error means that the browser closed the connection.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_SIZE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    unread.remove(tokio::task::id());
}

async fn respond(
    request: hyper::Request<Incoming>,
    visits: mpsc::Sender<Visit>,
    unread: Unread,
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
    // Stays in `unread` until it is next, so that [`CONNECTIONS`] bounds the waiting requests too.
    let next = visits.reserve().await.map_err(|_| "the listener is closed")?;
    unread.remove(tokio::task::id());
    next.send(visit);
    let page = answer.await.map_err(|_| "the request was dropped")?;
    let mut response = hyper::Response::new(Full::new(Bytes::from(page.html)));
    *response.status_mut() = hyper::StatusCode::from_u16(page.status).unwrap_or_default();
    for (name, value) in HEADERS {
        let header = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(header.0, header.1);
    }
    Ok(response)
}
