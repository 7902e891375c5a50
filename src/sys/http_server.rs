//! An HTTP/1.1 server for programs of this machine, on a loopback port or a Unix socket.
//!
//! Clients may be hostile: heads and bodies are bounded in size and time, and so is the number of
//! connections. At the limit the connection that has been idle for longest is closed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::AbortHandle;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Time for a request's head, also for the first byte of the next one, and again for its body.
const HEAD_LIMIT: Duration = Duration::from_mins(2);
const BODY_TIME: Duration = Duration::from_secs(10);
/// Largest accepted body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// Largest accepted head, in bytes: hyper's least, so that idle connections take little memory.
const HEAD_SIZE: usize = 8 * 1024;
/// Connections that wait to be accepted. A client that finds no room tries again after a second.
const BACKLOG: u32 = 4096;
/// Pause after a connection could not be accepted: probably no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(10);

/// Where a server listens.
pub(crate) enum Listener {
    /// A port of 127.0.0.1.
    Loopback(TcpListener),
    /// A Unix socket.
    #[cfg(unix)]
    Socket(super::unix_socket::Socket),
}

/// The program on the other side of a Unix socket, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// False for a user that the socket is not for.
    pub(crate) is_admitted: bool,
    /// User id.
    pub(crate) uid: Option<u32>,
    /// Process id.
    pub(crate) pid: Option<i32>,
}

/// A request, read to its end.
pub(crate) struct Call {
    /// `GET`, `POST`, …
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: Uri,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// The body, at most 64 KiB.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Who asks; empty on a loopback port.
    pub(crate) peer: Peer,
}

/// A reply: JSON.
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// The document, wiped when it is sent.
    pub(crate) json: Zeroizing<Vec<u8>>,
    /// When to ask again (RFC 9110 section 10.2.3).
    pub(crate) retry_after: Option<Duration>,
}

impl Peer {
    /// An unknown program: a port tells nothing of it.
    const UNKNOWN: Self = Self { is_admitted: true, uid: None, pid: None };
}

impl Reply {
    /// A success.
    pub(crate) fn ok(json: Zeroizing<Vec<u8>>) -> Self {
        Self { status: 200, json, retry_after: None }
    }
}

impl Listener {
    /// Listens on a free port of 127.0.0.1. Needs a running runtime.
    ///
    /// # Errors
    /// No port is free, or sockets are forbidden here.
    pub(crate) fn loopback() -> Result<Self> {
        let bound = || {
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(BACKLOG)
        };
        bound().map(Self::Loopback).map_err(|error| {
            Error::failed(format!("Cannot listen on 127.0.0.1: {error}.")).source(error)
        })
    }

    /// The port; 0 for a Unix socket.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Loopback(listener) => listener.local_addr().map_or(0, |address| address.port()),
            #[cfg(unix)]
            Self::Socket(_) => 0,
        }
    }

    /// Answers requests with `handler` until the future is dropped; at most `most` connections are
    /// open at a time.
    pub(crate) async fn serve<H, F>(self, most: usize, handler: H) -> Infallible
    where
        H: Fn(Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let connections = Connections::new(most);
        loop {
            let accepted = match &self {
                Self::Loopback(listener) => listener.accept().await.map(|(stream, _)| {
                    // Small answers are sent at once.
                    let _ = stream.set_nodelay(true);
                    connections.start(stream, Peer::UNKNOWN, &handler);
                }),
                #[cfg(unix)]
                Self::Socket(socket) => socket.accept().await.map(|(stream, peer)| {
                    connections.start(stream, peer, &handler);
                }),
            };
            if accepted.is_err() {
                connections.close_idlest();
                tokio::time::sleep(PAUSE).await;
            } else {
                // Lets connections that were closed give their descriptors back, and the new one read
                // what has arrived.
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The open connections. Dropping it closes them.
struct Connections {
    most: usize,
    next: AtomicU64,
    open: Arc<Mutex<HashMap<u64, Connection>>>,
    /// Counts requests: the time of [`Activity`].
    turn: Arc<AtomicU64>,
}

struct Connection {
    activity: Arc<Activity>,
    task: AbortHandle,
}

/// A connection in [`Connections`], however it ends.
struct Counted {
    open: Arc<Mutex<HashMap<u64, Connection>>>,
    id: u64,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// What a connection does.
#[derive(Default)]
struct Activity {
    /// True while a reply is made.
    is_busy: AtomicBool,
    /// The turn of its last request, or of its start.
    last: AtomicU64,
}

impl Connections {
    fn new(most: usize) -> Self {
        Self { most, next: AtomicU64::default(), open: Arc::default(), turn: Arc::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start<S, H, F>(&self, stream: S, peer: Peer, handler: &H)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Fn(Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        if self.all().len() >= self.most {
            self.close_idlest();
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity::default());
        activity.last.store(self.turn.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let (seen, turn, handler) = (activity.clone(), self.turn.clone(), handler.clone());
        let counted = Counted { open: self.open.clone(), id };
        let task = tokio::spawn(async move {
            let _counted = counted;
            connection(stream, peer, &handler, &seen, &turn).await;
        });
        // Tasks run after this one waits, so that none has ended yet.
        self.all().insert(id, Connection { activity, task: task.abort_handle() });
    }

    /// Closes the connection without a request in work that has been idle for longest; if all are
    /// busy, the one that has been so for longest.
    fn close_idlest(&self) {
        let mut all = self.all();
        let idleness = |it: &Connection| {
            (it.activity.is_busy.load(Ordering::Relaxed), it.activity.last.load(Ordering::Relaxed))
        };
        let idlest = all.iter().min_by_key(|(_, it)| idleness(it)).map(|(id, _)| *id);
        if let Some(closed) = idlest.and_then(|id| all.remove(&id)) {
            closed.task.abort();
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.all().values().for_each(|it| it.task.abort());
    }
}

async fn connection<S, H, F>(stream: S, peer: Peer, handler: &H, seen: &Activity, turn: &AtomicU64)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Call) -> F,
    F: Future<Output = Reply>,
{
    let service = service_fn(|request: hyper::Request<Incoming>| async move {
        let (head, body) = request.into_parts();
        let body = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_LIMIT).collect());
        let Ok(Ok(body)) = body.await else {
            let mut response = hyper::Response::new(Full::default());
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(response);
        };
        let body = body.to_bytes();
        seen.last.store(turn.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        seen.is_busy.store(true, Ordering::Relaxed);
        let reply = handler(Call {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: Zeroizing::new(body.to_vec()),
            peer,
        })
        .await;
        seen.is_busy.store(false, Ordering::Relaxed);
        let mut response = hyper::Response::new(Full::new(Bytes::from_owner(reply.json)));
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
        if let Some(after) = reply.retry_after {
            response.headers_mut().insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok::<_, Infallible>(response)
    });
    // An error means that the client has gone, or does not speak HTTP.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The number of connections that this process can have open: its limit of file descriptors without
/// a reserve for files, and at most `most`.
pub(crate) fn connections_at_most(most: usize) -> usize {
    descriptor_limit().map_or(most, |limit| limit.saturating_sub(RESERVE).clamp(1, most))
}

/// Descriptors for files, the vault and the requests to Entra.
const RESERVE: usize = 128;

#[cfg(unix)]
fn descriptor_limit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<usize> {
    None
}
