//! Work accounts of the Web Account Manager (WAM) of Windows, and tokens for them.
//!
//! Unverified: this compiles, but it has not run on a Windows with accounts. The names of the
//! properties are those that MSAL.NET's plugin for WAM uses.

use std::io;
use std::time::Duration;

use windows::Security::Authentication::Web::Core::{
    FindAllWebAccountsStatus, WebAuthenticationCoreManager, WebProviderError, WebTokenRequest,
    WebTokenRequestStatus, WebTokenResponse,
};
use windows::Security::Credentials::{WebAccount, WebAccountProvider};
use windows::core::{Error, HSTRING};

use super::{CallFailure, run_with_timeout};
use crate::secret::Secret;

/// The provider of Entra's accounts.
const PROVIDER: &str = "https://login.microsoft.com";
/// Accounts of organizations; personal accounts have another provider.
const ORGANIZATIONS: &str = "organizations";
/// The most accounts to read.
const MOST_ACCOUNTS: usize = 100;
/// Seconds from 1601-01-01, where WAM counts from, to 1970-01-01.
const FROM_1601_TO_1970: i64 = 11_644_473_600;

/// What a call to Windows returns.
type Outcome<T> = windows::core::Result<T>;

/// An account that WAM has.
pub(crate) struct WorkAccount {
    /// WAM's own id.
    pub(crate) id: String,
    pub(crate) username: String,
    /// GUID in the home tenant.
    pub(crate) object_id: String,
    /// GUID of the home tenant.
    pub(crate) tenant: String,
}

/// What a token is asked for.
pub(crate) struct WorkTokenRequest {
    pub(crate) client_id: String,
    /// [`WorkAccount::id`].
    pub(crate) account: String,
    /// The address of the authority, with the tenant.
    pub(crate) authority: String,
    /// Separated by spaces.
    pub(crate) scopes: String,
}

/// A token of WAM, with what it tells about it.
pub(crate) struct WorkToken {
    pub(crate) access_token: Secret,
    pub(crate) id_token: Option<Secret>,
    pub(crate) client_info: Option<String>,
    pub(crate) scopes: Option<String>,
    /// Seconds since 1970-01-01 UTC.
    pub(crate) expires_on: Option<i64>,
}

/// Why WAM gives no token.
pub(crate) struct Denial {
    pub(crate) reason: DenialReason,
    pub(crate) text: String,
}

/// WAM's `WebTokenRequestStatus`.
#[derive(Clone, Copy)]
pub(crate) enum DenialReason {
    NeedsUser,
    Cancelled,
    OtherAccount,
    /// The code of the provider: an HRESULT.
    Provider(u32),
    Unknown,
}

/// The accounts that the application `client_id` can see. An account without ids is left out.
pub(crate) fn work_accounts(
    client_id: &str,
    limit: Duration,
) -> Result<Vec<WorkAccount>, CallFailure> {
    let client_id = HSTRING::from(client_id);
    within(limit, move || {
        let found = WebAuthenticationCoreManager::FindAllAccountsWithClientIdAsync(
            &provider()?,
            &client_id,
        )
        .and_then(|asked| asked.join())
        .map_err(|error| refused(&error))?;
        if found.Status().map_err(|error| refused(&error))? != FindAllWebAccountsStatus::Success {
            let why = found.ProviderError().ok().map(|error| text_of(&error));
            return Err(CallFailure::Refused(why.unwrap_or_else(|| "it lists no accounts".into())));
        }
        let accounts = found.Accounts().map_err(|error| refused(&error))?;
        Ok(accounts.into_iter().take(MOST_ACCOUNTS).filter_map(|it| account(&it).ok()).collect())
    })
}

/// A token, without a prompt.
pub(crate) fn work_token(
    request: WorkTokenRequest,
    limit: Duration,
) -> Result<Result<WorkToken, Denial>, CallFailure> {
    within(limit, move || {
        let provider = provider()?;
        token(&provider, &request).map_err(|error| refused(&error))
    })
}

/// Succeeds if Windows has a provider of work accounts.
pub(crate) fn find_work_accounts(limit: Duration) -> Result<(), CallFailure> {
    within(limit, || provider().map(drop))
}

/// Runs `work` for at most `limit`. WAM's operations have no limit of their own.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, CallFailure> + Send + 'static,
) -> Result<T, CallFailure> {
    match run_with_timeout(limit, work) {
        Ok(done) => done,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(CallFailure::TimedOut),
        Err(_) => Err(CallFailure::Died),
    }
}

/// The provider of work accounts. A Windows without it gives none, or has no such class.
fn provider() -> Result<WebAccountProvider, CallFailure> {
    WebAuthenticationCoreManager::FindAccountProviderWithAuthorityAsync(
        &HSTRING::from(PROVIDER),
        &HSTRING::from(ORGANIZATIONS),
    )
    .and_then(|asked| asked.join())
    .map_err(|error| {
        let why = if error.code().is_ok() { String::new() } else { format!(": {}", shown(&error)) };
        CallFailure::Absent(format!("Windows has no provider of work accounts{why}"))
    })
}

fn account(account: &WebAccount) -> Outcome<WorkAccount> {
    let properties = account.Properties()?;
    let property = |name: &str| -> Outcome<String> {
        Ok(properties.Lookup(&HSTRING::from(name))?.to_string_lossy())
    };
    Ok(WorkAccount {
        id: account.Id()?.to_string_lossy(),
        username: account.UserName()?.to_string_lossy(),
        object_id: property("OID")?,
        tenant: property("TenantId")?,
    })
}

fn token(
    provider: &WebAccountProvider,
    request: &WorkTokenRequest,
) -> Outcome<Result<WorkToken, Denial>> {
    let account = WebAuthenticationCoreManager::FindAccountAsync(
        provider,
        &HSTRING::from(request.account.as_str()),
    )?
    .join();
    let account = match account {
        // Null.
        Err(error) if error.code().is_ok() => {
            let text = "Windows has this account no more".to_owned();
            return Ok(Err(Denial { reason: DenialReason::NeedsUser, text }));
        }
        found => found?,
    };
    let asked = WebTokenRequest::Create(
        provider,
        &HSTRING::from(request.scopes.as_str()),
        &HSTRING::from(request.client_id.as_str()),
    )?;
    let properties = asked.Properties()?;
    // Scopes instead of a resource, and the members `wamcompat_…` in the answer.
    for (name, value) in [("wam_compat", "2.0"), ("authority", request.authority.as_str())] {
        properties.Insert(&HSTRING::from(name), &HSTRING::from(value))?;
    }
    let result =
        WebAuthenticationCoreManager::GetTokenSilentlyWithWebAccountAsync(&asked, &account)?
            .join()?;
    let status = result.ResponseStatus()?;
    if status == WebTokenRequestStatus::Success {
        return work_token_of(&result.ResponseData()?.GetAt(0)?).map(Ok);
    }
    let error = result.ResponseError().ok();
    let reason = match status {
        WebTokenRequestStatus::UserInteractionRequired => DenialReason::NeedsUser,
        WebTokenRequestStatus::UserCancel => DenialReason::Cancelled,
        WebTokenRequestStatus::AccountSwitch => DenialReason::OtherAccount,
        WebTokenRequestStatus::ProviderError => {
            let code = error.as_ref().and_then(|it| it.ErrorCode().ok());
            code.map_or(DenialReason::Unknown, DenialReason::Provider)
        }
        _ => DenialReason::Unknown,
    };
    Ok(Err(Denial { reason, text: error.map(|it| text_of(&it)).unwrap_or_default() }))
}

/// The token in `response`. The copies that Windows holds are not wiped.
fn work_token_of(response: &WebTokenResponse) -> Outcome<WorkToken> {
    let properties = response.Properties()?;
    let property = |name: &str| {
        let value = properties.Lookup(&HSTRING::from(name)).ok()?.to_string_lossy();
        Some(value).filter(|it| !it.is_empty())
    };
    let expires_on = property("TokenExpiresOn").and_then(|it| it.parse::<i64>().ok());
    Ok(WorkToken {
        access_token: Secret::new(response.Token()?.to_string_lossy()),
        id_token: property("wamcompat_id_token").map(Secret::new),
        client_info: property("wamcompat_client_info"),
        scopes: property("wamcompat_scopes"),
        expires_on: expires_on.and_then(|it| it.checked_sub(FROM_1601_TO_1970)),
    })
}

fn text_of(error: &WebProviderError) -> String {
    let text = error.ErrorMessage().map(|it| it.to_string_lossy()).unwrap_or_default();
    let code = error.ErrorCode().unwrap_or_default();
    if text.trim().is_empty() { format!("error 0x{code:08x}") } else { text }
}

fn refused(error: &Error) -> CallFailure {
    CallFailure::Refused(shown(error))
}

fn shown(error: &Error) -> String {
    let message = error.message();
    let code = format!("0x{:08x}", error.code().0);
    match message.trim().trim_end_matches('.') {
        "" => format!("error {code}"),
        message => format!("{message} ({code})"),
    }
}
