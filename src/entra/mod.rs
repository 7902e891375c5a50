//! The protocol of the Microsoft identity platform: authorities, scopes, grants, answers.
//!
//! One grant a file; every grant is a method of [`TokenClient`], so that there is one place for
//! headers, capabilities and errors. The `oauth2` crate makes the address that a browser is sent to;
//! the rest of it is not used, because it keeps tokens in types that are not wiped, fails on the
//! string numbers that some endpoints send, and knows no more than half of Entra's grants.
//! What is answered is read by [`Response`](crate::sys::Response) alone, and each member loosely
//! ([`crate::foreign`]): servers differ.
//! This module never sees the disk; the one file of the protocol, Azure Arc's key, is read by `sys`.

mod authority;
mod authorization_code;
mod certificate;
mod claims;
mod client_authentication;
mod client_credentials;
mod device_code;
mod error_response;
mod form;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod id_token;
mod managed_identity;
mod on_behalf_of;
mod password;
mod pipeline;
mod refresh_token;
mod rsa_key;
mod scope;
mod server_time;
mod tenant;
mod token_client;
mod token_response;

pub(crate) use authority::{Authority, is_adfs};
pub(crate) use authorization_code::{AuthorizationRequest, Redirect, ResponseMode};
pub(crate) use certificate::Certificate;
pub(crate) use client_authentication::ClientCredential;
pub(crate) use id_token::IdClaims;
pub(crate) use managed_identity::{HostIdentity, managed_identity_token};
pub(crate) use password::check_realm;
pub(crate) use pipeline::{
    TOKEN_EXCHANGE, azure_pipelines_assertion, azure_pipelines_connection,
    github_actions_assertion, in_github_actions,
};
pub(crate) use scope::Scopes;
pub(crate) use server_time::server_time;
pub(crate) use tenant::{is_guid, resolve_tenant};
pub(crate) use token_client::TokenClient;
pub(crate) use token_response::TokenResponse;

/// The client id of Azure CLI, a public client of the family "1" that every tenant knows.
pub(crate) const AZURE_CLI_CLIENT_ID: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
