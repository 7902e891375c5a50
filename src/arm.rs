//! Azure Resource Manager: the tenants, subscriptions and locations that a token can see.

mod challenge;

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

pub(crate) use challenge::{decode_challenge, of_response as challenge_of, tenant_of};

use crate::error::{EntraDetail, Error, Kind, Result};
use crate::foreign::{Guid, Json, Loose, Name, Sentence, lenient, or_default};
use crate::program::Program;
use crate::secret::Secret;
use crate::sys::{Complaint, EndpointUrl, Request, Response, System, mark_retryable, retried};

/// The API version that az 2.91 uses for tenants and subscriptions.
const API_VERSION: &str = "2022-12-01";

/// More pages than any directory has: 1,000 pages of 1,000 items.
const MOST_PAGES: usize = 1000;

/// More members than any list has.
const MOST_ITEMS: usize = 1_000_000;

/// Most skipped rows to name in the warning.
const MOST_NAMED: usize = 5;

/// Time limit for a list with all its pages.
const LIST_LIMIT: Duration = Duration::from_mins(2);

/// A tenant that the account is a member or guest of.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Its id.
    pub(crate) tenant_id: Guid,
    /// Display name; absent in some tenants.
    pub(crate) display_name: Option<Name>,
    /// Its first domain.
    pub(crate) default_domain: Option<Name>,
}

/// A subscription as Azure Resource Manager lists it.
#[derive(Clone, Debug)]
pub(crate) struct ArmSubscription {
    /// Its id.
    pub(crate) id: Guid,
    /// Display name.
    pub(crate) display_name: Name,
    /// `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    pub(crate) state: Name,
    /// The tenant that the subscription belongs to, which need not be the token's.
    pub(crate) tenant_id: Option<Guid>,
    /// Elements `{"tenantId": …}`, or nothing.
    pub(crate) managed_by_tenants: Option<Vec<Json>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TenantRow {
    /// `/tenants/<GUID>`.
    #[serde(default, deserialize_with = "last_segment")]
    id: Option<Guid>,
    #[serde(default, deserialize_with = "lenient")]
    tenant_id: Option<Guid>,
    #[serde(default, deserialize_with = "lenient")]
    display_name: Option<Name>,
    #[serde(default, deserialize_with = "lenient")]
    default_domain: Option<Name>,
}

impl Row for TenantRow {
    type Identified = Tenant;
    const FLAW: &'static str = "their ids are not GUIDs";

    fn identified(self) -> Result<Tenant, Option<Name>> {
        let Self { id, tenant_id, display_name, default_domain } = self;
        match tenant_id.or(id) {
            Some(tenant_id) => Ok(Tenant { tenant_id, display_name, default_domain }),
            None => Err(display_name.or(default_domain)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionRow {
    /// `/subscriptions/<GUID>`.
    #[serde(default, deserialize_with = "last_segment")]
    id: Option<Guid>,
    #[serde(default, deserialize_with = "lenient")]
    subscription_id: Option<Guid>,
    #[serde(default, deserialize_with = "lenient")]
    display_name: Option<Name>,
    #[serde(default, deserialize_with = "or_default")]
    state: Name,
    #[serde(default, deserialize_with = "lenient")]
    tenant_id: Option<Guid>,
    #[serde(default, deserialize_with = "lenient")]
    managed_by_tenants: Option<Vec<Json>>,
}

impl Row for SubscriptionRow {
    type Identified = ArmSubscription;
    const FLAW: &'static str = TenantRow::FLAW;

    fn identified(self) -> Result<ArmSubscription, Option<Name>> {
        let Self { id, subscription_id, display_name, state, tenant_id, managed_by_tenants } = self;
        let Some(id) = id.or(subscription_id) else { return Err(display_name) };
        let display_name = display_name.unwrap_or_default();
        Ok(ArmSubscription { id, display_name, state, tenant_id, managed_by_tenants })
    }
}

/// A row of a list, used only if it has a valid id.
trait Row: DeserializeOwned {
    type Identified;
    /// Why a row is skipped.
    const FLAW: &'static str;

    /// The item of the row; else the row's name, if it has one.
    fn identified(self) -> Result<Self::Identified, Option<Name>>;
}

fn last_segment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Guid>, D::Error> {
    let path: Option<Name> = lenient(deserializer)?;
    Ok(path.and_then(|path| Guid::parse(path.rsplit('/').next()?)))
}

/// The items of the rows. Warns about rows without a valid id, by name or position: ids go into
/// requests and command lines, so an invalid one is not usable.
fn identified<R: Row>(system: &System, rows: Vec<Loose<R>>, what: &str) -> Vec<R::Identified> {
    let (all, mut known, mut odd) = (rows.len(), Vec::new(), Vec::new());
    for (at, Loose(row)) in rows.into_iter().enumerate() {
        match row.map_or(Err(None), R::identified) {
            Ok(one) => known.push(one),
            Err(Some(name)) if !name.trim().is_empty() => odd.push(format!("'{name}'")),
            Err(_) => odd.push(format!("number {}", at + 1)),
        }
    }
    if !odd.is_empty() {
        let more = odd.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        odd.truncate(MOST_NAMED);
        system.terminal.warn(&format!(
            "Of the {all} {what} that Azure Resource Manager listed, these are skipped, because {}: {}{more}.",
            R::FLAW,
            odd.join(", ")
        ));
    }
    known
}

/// The tenants of the account that `token` was issued to: `GET {resource manager}/tenants`, paged.
pub(crate) async fn tenants(
    system: &System,
    resource_manager: &EndpointUrl,
    token: &Secret,
) -> Result<Vec<Tenant>> {
    let path = format!("tenants?api-version={API_VERSION}");
    let rows = list(system, resource_manager, &path, token).await?;
    Ok(identified::<TenantRow>(system, rows, "tenants"))
}

/// The subscriptions that `token` can see in its tenant: `GET {resource manager}/subscriptions`,
/// paged.
pub(crate) async fn subscriptions(
    system: &System,
    resource_manager: &EndpointUrl,
    token: &Secret,
) -> Result<Vec<ArmSubscription>> {
    let path = format!("subscriptions?api-version={API_VERSION}");
    let rows = list(system, resource_manager, &path, token).await?;
    Ok(identified::<SubscriptionRow>(system, rows, "subscriptions"))
}

/// One subscription by its id (GUID): `GET {resource manager}/subscriptions/{id}`.
pub(crate) async fn subscription(
    system: &System,
    resource_manager: &EndpointUrl,
    id: &str,
    token: &Secret,
) -> Result<ArmSubscription> {
    let url = resource_manager.at(&format!("subscriptions/{id}?api-version={API_VERSION}"))?;
    let row: SubscriptionRow = get(system, &url, token).await?;
    row.identified().map_err(|_| invalid_response(&url))
}

/// The tenants of the account as `account tenant list` prints them: `{"id", "tenantId"}`, from the
/// API version that az's `account` extension uses.
pub(crate) async fn tenant_ids(
    system: &System,
    resource_manager: &EndpointUrl,
    token: &Secret,
) -> Result<Vec<Value>> {
    let all = list(system, resource_manager, "tenants?api-version=2016-06-01", token).await?;
    Ok(only(identified::<Json>(system, all, "tenants"), &["id", "tenantId"]))
}

/// The locations of a subscription, with the members that az prints.
///
/// `extended` adds edge zones.
pub(crate) async fn locations(
    system: &System,
    resource_manager: &EndpointUrl,
    subscription: &str,
    extended: bool,
    token: &Secret,
) -> Result<Vec<Value>> {
    let extended = if extended { "includeExtendedLocations=true&" } else { "" };
    let path =
        format!("subscriptions/{subscription}/locations?{extended}api-version={API_VERSION}");
    let all = list(system, resource_manager, &path, token).await?;
    Ok(only(
        identified::<Json>(system, all, "locations"),
        &[
            "availabilityZoneMappings",
            "displayName",
            "id",
            "metadata",
            "name",
            "regionalDisplayName",
            "subscriptionId",
            "type",
        ],
    ))
}

impl Row for Json {
    type Identified = Map<String, Value>;
    const FLAW: &'static str = "they are not objects";

    fn identified(self) -> Result<Self::Identified, Option<Name>> {
        match self.into_value() {
            Value::Object(members) => Ok(members),
            _ => Err(None),
        }
    }
}

/// Keeps only these members of each object.
fn only(rows: Vec<Map<String, Value>>, members: &[&str]) -> Vec<Value> {
    let kept = |mut row: Map<String, Value>| {
        row.retain(|name, _| members.contains(&name.as_str()));
        Value::Object(row)
    };
    rows.into_iter().map(kept).collect()
}

/// The metadata document of a cloud's resource manager, at `url`.
pub(crate) async fn metadata(system: &System, url: &EndpointUrl) -> Result<Value> {
    let response = system.http.send(system, Request::get(url)).await?;
    if !response.is_success() {
        let error = Error::failed(format!(
            "Unable to get endpoints from the cloud.\nServer returned status code {} for {url}",
            response.status
        ));
        // az does not print the server's text.
        let said = response.complaint().told().filter(|_| system.program == Program::Azt);
        return Err(said.into_iter().fold(error, |error, said| error.remedy(String::from(said))));
    }
    response
        .json()
        .map(Json::into_value)
        .map_err(|_| Error::new(Kind::Service, format!("{url} did not answer with JSON.")))
}

async fn list<T: DeserializeOwned>(
    system: &System,
    resource_manager: &EndpointUrl,
    path: &str,
    token: &Secret,
) -> Result<Vec<Loose<T>>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", bound(deserialize = "T: DeserializeOwned"))]
    struct Page<T> {
        #[serde(deserialize_with = "rows")]
        value: Vec<Loose<T>>,
        #[serde(default, deserialize_with = "or_default")]
        next_link: String,
    }
    let mut url = resource_manager.at(path)?;
    let what = path.split('?').next().unwrap_or(path);
    let endless =
        || Error::new(Kind::Service, format!("{resource_manager} sent an endless list of {what}."));
    let pages = async {
        let mut items = Vec::new();
        for _ in 0..MOST_PAGES {
            let page: Page<T> = get(system, &url, token).await?;
            items.extend(page.value);
            if items.len() > MOST_ITEMS {
                break;
            }
            let link = page.next_link.trim();
            if link.is_empty() {
                return Ok(items);
            }
            // Send the token to the resource manager only.
            let next = match link.strip_prefix('/').filter(|path| !path.starts_with(['/', '\\'])) {
                Some(path) => resource_manager.at(path).ok(),
                None => EndpointUrl::parse_with_query(link, "The next page").ok(),
            };
            url = next.filter(|next| next.same_origin(resource_manager)).ok_or_else(|| {
                Error::new(
                    Kind::Service,
                    format!(
                        "{resource_manager} continues its list of {what} at another host ({}); the token was not sent there.",
                        Sentence::new(link)
                    ),
                )
            })?;
        }
        Err(endless())
    };
    tokio::time::timeout(LIST_LIMIT, pages).await.unwrap_or_else(|_| Err(endless()))
}

/// The rows of a page. Null is an empty page; a page without the member is an error.
fn rows<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<Loose<T>>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Gets `url`, with retries: one throttled tenant of sixty must not fail the whole sign-in.
async fn get<T: DeserializeOwned>(system: &System, url: &EndpointUrl, token: &Secret) -> Result<T> {
    let send = async || {
        let request = Request::get(url).header("accept", "application/json").bearer(token);
        let response = system.http.send(system, request).await?;
        system.terminal.debug(&format!("GET {url} -> {}", response.status));
        if response.is_success() { Ok(response) } else { Err(refused(url, &response)) }
    };
    let response = retried(send).await?;
    response.json().map_err(|_| match response.complaint() {
        Complaint { code: Some(_), message: Some(_) } => refused(url, &response),
        _ => invalid_response(url),
    })
}

fn invalid_response(url: &EndpointUrl) -> Error {
    let path = url.without_query();
    Error::new(Kind::Service, format!("{path} sent an invalid response."))
}

/// The JSON text of the claims challenge in `error`, a refusal of this service. A token that meets
/// the challenge is accepted.
pub(crate) fn challenge(error: &Error) -> Option<&str> {
    error.entra_detail()?.claims.as_deref()
}

/// The service's error, as az prints it.
fn refused(url: &EndpointUrl, response: &Response) -> Error {
    let status = response.status;
    let kind = match status {
        404 => Kind::NotFound,
        401 => Kind::InteractionRequired,
        429 | 500..=599 => Kind::Service,
        _ => Kind::Failed,
    };
    let error = match response.complaint() {
        Complaint { code: Some(code), message: Some(message) } => {
            Error::new(kind, format!("({code}) {message}\nCode: {code}\nMessage: {message}"))
        }
        complaint => {
            let said = complaint.told();
            let said = said.map_or_else(|| ".".to_owned(), |said| format!(": {said}"));
            Error::new(kind, format!("{} answered HTTP {status}{said}", url.without_query()))
        }
    };
    let error = match challenge::of_response(response) {
        Some(claims) => error.entra(EntraDetail {
            error: Name::new("insufficient_claims"),
            claims: Some(claims),
            ..EntraDetail::default()
        }),
        None => error,
    };
    mark_retryable(error, response)
}
