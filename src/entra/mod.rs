//! The protocol of the Microsoft identity platform: authorities, scopes, grants, responses.
//!
//! Each grant has its own file and is a method of [`TokenClient`], so that headers, capabilities
//! and errors have one place. The `oauth2` crate only builds the authorization URL. The rest of it
//! is unsuitable: it keeps tokens in types that are not wiped, fails on the string numbers of some
//! endpoints, and supports at most half of Entra's grants.
//!
//! Only [`Response`](crate::sys::Response) parses bodies, and each member tolerantly
//! ([`crate::foreign`]), because servers differ. This module never accesses the disk: `sys` reads
//! the protocol's one file, Azure Arc's key.

mod authority;
mod authorization_code;
mod certificate;
mod claims;
mod client_authentication;
mod client_credentials;
mod desktop_sso;
mod device_code;
mod error_response;
mod form;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod id_token;
mod integrated;
mod managed_identity;
mod on_behalf_of;
mod password;
mod pipeline;
mod refresh_token;
mod rsa_key;
mod saml_bearer;
mod scope;
mod server_time;
mod tenant;
mod token_client;
mod token_response;
mod user_realm;
mod ws_trust;

pub(crate) use authority::{Authority, is_adfs};
pub(crate) use authorization_code::{AuthorizationRequest, Redirect, ResponseMode};
pub(crate) use certificate::Certificate;
pub(crate) use client_authentication::ClientCredential;
pub(crate) use device_code::DeviceAuthorization;
pub(crate) use error_response::aadsts_in;
pub(crate) use id_token::IdClaims;
pub(crate) use managed_identity::{HostIdentity, managed_identity_token};
pub(crate) use pipeline::{
    TOKEN_EXCHANGE, azure_pipelines_assertion, azure_pipelines_connection,
    github_actions_assertion, in_github_actions,
};
pub(crate) use scope::Scopes;
pub(crate) use server_time::server_time;
pub(crate) use tenant::{is_guid, resolve_tenant};
pub(crate) use token_client::TokenClient;
pub(crate) use token_response::{TokenResponse, home_account_id};
pub(crate) use user_realm::{Realm, user_realm};
pub(crate) use ws_trust::{Credential, saml_assertion};

/// The client id of Azure CLI, a public client of the family "1" that exists in every tenant.
pub(crate) const AZURE_CLI_CLIENT_ID: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
