//! The Rust SDK's `AzureCliCredential`, which starts `az`, and its `ManagedIdentityCredential`: prints
//! a token as JSON.
//!
//! ```sh
//! cargo run --example azure_identity -- https://management.azure.com/.default [TENANT] [SUBSCRIPTION]
//! cargo run --example azure_identity -- --managed https://management.azure.com/.default [CLIENT_ID]
//! ```

#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let is_managed = args.first().is_some_and(|arg| arg == "--managed");
    args.drain(..usize::from(is_managed));
    let mut args = args.into_iter().map(|arg| Some(arg).filter(|arg| !arg.is_empty()));
    let scope = args.next().flatten().ok_or("usage: azure_identity [--managed] SCOPE …")?;
    let (first, second) = (args.next().flatten(), args.next().flatten());
    let credential: Arc<dyn TokenCredential> = if is_managed {
        let client_options = ClientOptions {
            transport: Some(Transport::new(Arc::new(Plain))),
            ..ClientOptions::default()
        };
        ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: first.map(UserAssignedId::ClientId),
            client_options,
        }))?
    } else {
        AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: first,
            subscription: second,
            ..AzureCliCredentialOptions::default()
        }))?
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shown = match runtime.block_on(credential.get_token(&[&scope], None)) {
        Ok(token) => serde_json::json!({
            "token": token.token.secret(),
            "expires": token.expires_on.unix_timestamp(),
        }),
        Err(error) => serde_json::json!({ "error": error.to_string() }),
    };
    println!("{shown}");
    Ok(())
}

/// HTTP without TLS. The SDK's own transport would need features of reqwest that azt is built without.
#[derive(Debug)]
struct Plain;

impl HttpClient for Plain {
    fn execute_request<'a, 'b, 'c>(
        &'a self,
        request: &'b Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(
            async move { get(request).await.map_err(|error| Error::new(ErrorKind::Io, error)) },
        )
    }
}

async fn get(
    request: &Request,
) -> Result<AsyncRawResponse, Box<dyn std::error::Error + Send + Sync>> {
    let url = request.url();
    let address = url.socket_addrs(|| None)?;
    let stream = tokio::net::TcpStream::connect(&*address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut sent = hyper::Request::get(format!("{}?{}", url.path(), url.query().unwrap_or("")))
        .header("host", format!("{}:{}", url.host_str().unwrap_or(""), url.port().unwrap_or(80)));
    for (name, value) in request.headers().iter() {
        sent = sent.header(name.as_str(), value.as_str());
    }
    let answer = sender.send_request(sent.body(Empty::<Bytes>::new())?).await?;
    let status = answer.status().as_u16().into();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok(AsyncRawResponse::from_bytes(status, Headers::new(), body))
}
