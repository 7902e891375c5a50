//! The sockets: one thread, one runtime, HTTPS for Entra and ARM, plain HTTP for managed identity.

use crate::call::{Answer, Call};
use crate::error::{EntraError, Error};
use crate::fault::{self, Action};
use crate::routes;
use crate::world::World;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// Limit on a request's body in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// A loopback port: sockets for 127.0.0.1 and, if the machine has IPv6, ::1.
pub(crate) struct Port {
    pub(crate) number: u16,
    listeners: Vec<TcpListener>,
}

impl Port {
    /// Takes the port; 0 means any free port.
    pub(crate) fn take(number: u16) -> Result<Self, Error> {
        let io = |source| Error::Io {
            what: format!("cannot listen on port {number} of 127.0.0.1"),
            source,
        };
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).map_err(io)?;
        let number = v4.local_addr().map_err(io)?.port();
        let mut listeners = vec![v4];
        // Some clients try ::1 first for `localhost`, but not every machine has it.
        listeners.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, number)));
        for listener in &listeners {
            listener.set_nonblocking(true).map_err(io)?;
        }
        Ok(Self { number, listeners })
    }
}

/// The running server; dropping it closes every socket.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(
        world: Arc<Mutex<World>>,
        https: Port,
        http: Port,
        tls: Arc<ServerConfig>,
    ) -> Result<Self, Error> {
        let io = |source| Error::Io { what: "cannot start the server's thread".into(), source };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async {
                for listener in https.listeners {
                    let tls = TlsAcceptor::from(Arc::clone(&tls));
                    tokio::spawn(accept(listener, Some(tls), Arc::clone(&world)));
                }
                for listener in http.listeners {
                    tokio::spawn(accept(listener, None, Arc::clone(&world)));
                }
                // Ends when the sender is dropped; the tasks end with the runtime.
                let _ = stopped.await;
            });
        };
        let thread =
            std::thread::Builder::new().name("entra-emulator".into()).spawn(serve).map_err(io)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has already reported its panic.
            let _ = thread.join();
        }
    }
}

/// Locks the state, even after a panic in another thread.
pub(crate) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, world: Arc<Mutex<World>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await as Result<(_, SocketAddr), _> else {
            // Probably out of file descriptors: wait until some are closed.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let world = Arc::clone(&world);
        match tls.clone() {
            None => {
                tokio::spawn(connection(stream, world, false));
            }
            Some(tls) => {
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, world, true).await;
                    }
                });
            }
        }
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    world: Arc<Mutex<World>>,
    https: bool,
) {
    let service = service_fn(|request| answer(Arc::clone(&world), request, https));
    // An error means that the client closed the connection, or that a fault did.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Makes hyper close the connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped by a fault")]
struct Dropped;

type Body = Either<Full<Bytes>, Beginning>;

async fn answer(
    world: Arc<Mutex<World>>,
    request: Request<Incoming>,
    https: bool,
) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await;
    let body = body.map_err(|_| Dropped)?.to_bytes();
    let call = Call::new(&head, body.to_vec(), https);
    if call.path.starts_with("/_emulator/") {
        let answer = routes::route(&mut lock(&world), &call);
        return Ok(whole(answer));
    }

    let (id, actions) = {
        let mut world = lock(&world);
        (world.log.arrived(&call), fault::take(&mut world.faults, &call))
    };
    let mut keep = None;
    let mut instead = None;
    let mut rewrite = None;
    for action in actions {
        match action {
            Action::Delay { milliseconds } => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            }
            Action::Drop => return Err(Dropped),
            Action::Truncate { keep: bytes } => keep = Some(bytes),
            Action::Rewrite { .. } => rewrite = Some(action),
            other => instead = faulty(&lock(&world), &call, other),
        }
    }
    let answer = {
        let mut world = lock(&world);
        let answer = instead.unwrap_or_else(|| routes::route(&mut world, &call));
        let answer = rewritten(answer, rewrite.as_ref());
        let now = u64::try_from(world.now()).unwrap_or_default();
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now));
        let answer = answer.header("Date", &date);
        world.log.answered(id, answer.status);
        answer
    };
    Ok(match keep {
        None => whole(answer),
        Some(keep) => truncated(answer, keep),
    })
}

/// The response of a fault, instead of the real one.
fn faulty(world: &World, call: &Call, action: Action) -> Option<Answer> {
    match action {
        Action::Answer { status, headers, body } => {
            let named = |name: &String| name.eq_ignore_ascii_case("content-type");
            let mut answer = Answer::new(status, "application/json", body);
            if headers.keys().any(named) {
                answer.headers.clear();
            }
            answer.headers.extend(headers);
            Some(answer)
        }
        Action::Echo { status, content_type, body } => {
            let escaped = |text: &str| {
                if !content_type.contains("json") {
                    return text.to_owned();
                }
                let quoted = serde_json::json!(text).to_string();
                quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
            };
            let values: Vec<_> = call.form.values().map(String::as_str).collect();
            let body = body
                .replace("{form}", &escaped(&String::from_utf8_lossy(&call.body)))
                .replace("{values}", &escaped(&values.join(" ")))
                .replace("{authorization}", call.header("authorization").unwrap_or_default());
            Some(Answer::new(status, &content_type, body))
        }
        Action::EntraError { status, error, code, description, suberror, claims } => {
            let error = EntraError { status, error, code, description, suberror, claims };
            Some(error.answer(world, call))
        }
        Action::Delay { .. } | Action::Drop | Action::Truncate { .. } | Action::Rewrite { .. } => {
            None
        }
    }
}

/// `answer` in the form of `rewrite`.
fn rewritten(mut answer: Answer, rewrite: Option<&Action>) -> Answer {
    let Some(Action::Rewrite { status, encoding, numbers }) = rewrite else { return answer };
    if answer.status == 200 {
        answer.status = status.unwrap_or(200);
    }
    if let (Some(numbers), Ok(value)) = (numbers, serde_json::from_slice(&answer.body)) {
        answer.body = numbers.rewrite(value).to_string().into_bytes();
    }
    if let Some(encoding) = encoding {
        let text = String::from_utf8_lossy(&answer.body);
        let (bytes, charset) = encoding.bytes_of(&text);
        answer.body = bytes;
        answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        let charset = charset.map_or_else(String::new, |name| format!("; charset={name}"));
        let kind = format!("application/json{charset}");
        answer.headers.push(("Content-Type".into(), kind));
    }
    answer
}

fn whole(answer: Answer) -> Response<Body> {
    response(answer, |body| Either::Left(Full::new(Bytes::from(body))))
}

/// Announces the whole body, sends its beginning and closes the connection.
fn truncated(mut answer: Answer, keep: usize) -> Response<Body> {
    let length = answer.body.len().to_string();
    answer.headers.push(("Content-Length".into(), length));
    answer.body.truncate(keep);
    response(answer, |body| {
        Either::Right(Beginning { bytes: Some(Bytes::from(body)), paused: false })
    })
}

/// A body that ends early.
struct Beginning {
    bytes: Option<Bytes>,
    paused: bool,
}

impl hyper::body::Body for Beginning {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // Hyper sends data only while it waits for more.
        if !self.paused {
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Dropped)))
    }
}

fn response(answer: Answer, body: impl FnOnce(Vec<u8>) -> Body) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::new()));
    // Faults and settings can contain values that are invalid in HTTP; these are omitted.
    if let Ok(status) = hyper::StatusCode::from_u16(answer.status) {
        *response.status_mut() = status;
    }
    for (name, value) in answer.headers {
        let name = hyper::header::HeaderName::from_bytes(name.as_bytes());
        let value = hyper::header::HeaderValue::from_str(&value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response.map(|_| body(answer.body))
}
