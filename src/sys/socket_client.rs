//! One HTTP request at a Unix socket.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use zeroize::Zeroizing;

use super::unix_socket::check_folder;
use super::{Deadline, block_on};
use crate::error::{Error, Kind, Result};

/// Time for the whole request: as long as a token from Entra may take.
const LIMIT: Duration = Duration::from_secs(9);
/// Largest accepted answer, in bytes.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// Asks for `path` at `socket`, by POST if there is a `body`. Returns the status and the answer.
///
/// # Errors
/// [`Kind::Network`]: nobody listens there, or there is no answer in time.
pub(crate) fn ask_socket(
    socket: &Path,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<(u16, Zeroizing<Vec<u8>>)> {
    let failed = |why: &dyn std::fmt::Display| {
        let text = format!("The azt at {} cannot be reached: {why}.", socket.display());
        Error::new(Kind::Network, text)
            .remedy("AZT_BROKER names it: start 'azt serve --socket' there, or unset the variable.")
    };
    check_folder(socket)?;
    let asked = async {
        let stream = UnixStream::connect(socket).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        let connection = tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(if body.is_some() { "POST" } else { "GET" })
            .uri(path)
            .header("host", "localhost")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| failed(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let answer = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
        let answer = answer.map_err(|error| failed(&error))?.to_bytes();
        connection.abort();
        Ok((status, Zeroizing::new(answer.to_vec())))
    };
    block_on(async {
        Deadline::at_most(LIMIT).run(asked).await.unwrap_or_else(|| Err(failed(&"no answer came")))
    })?
}
