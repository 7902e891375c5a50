//! Azure Resource Manager: which tenants, subscriptions and locations a token can see.

mod challenge;

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use challenge::decode_challenge;

use crate::error::{EntraDetail, Error, Kind, Result};
use crate::foreign::{Guid, Json, Name, Sentence, if_it_is_one};
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, Response, System, passing, retried};

/// The API version that az 2.91 uses for tenants and subscriptions.
const API_VERSION: &str = "2022-12-01";

/// More pages than any directory has: 1,000 pages of 1,000.
const MOST_PAGES: usize = 1000;

/// More members than any list has.
const MOST_ITEMS: usize = 1_000_000;

/// How long a list may take, with all its pages.
const LIST_LIMIT: Duration = Duration::from_mins(2);

/// A tenant that the account is a member or guest of.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub tenant_id: Guid,
    /// Shown to people; absent in some tenants.
    pub display_name: Option<Name>,
    /// Its first domain.
    pub default_domain: Option<Name>,
}

/// A subscription as Azure Resource Manager lists it.
#[derive(Clone, Debug)]
pub struct ArmSubscription {
    /// Its id.
    pub id: Guid,
    /// Shown to people.
    pub display_name: Name,
    /// `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    pub state: Name,
    /// The tenant that the subscription belongs to, which need not be the token's.
    pub tenant_id: Option<Guid>,
    /// `[{"tenantId": …}]`, or nothing.
    pub managed_by_tenants: Option<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TenantRow {
    #[serde(default, deserialize_with = "if_it_is_one")]
    tenant_id: Option<Guid>,
    #[serde(default, deserialize_with = "if_it_is_one")]
    display_name: Option<Name>,
    #[serde(default, deserialize_with = "if_it_is_one")]
    default_domain: Option<Name>,
}

impl TenantRow {
    fn identified(self) -> Option<Tenant> {
        let Self { tenant_id, display_name, default_domain } = self;
        Some(Tenant { tenant_id: tenant_id?, display_name, default_domain })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionRow {
    /// `/subscriptions/<GUID>`.
    #[serde(default, deserialize_with = "last_segment")]
    id: Option<Guid>,
    #[serde(default, deserialize_with = "if_it_is_one")]
    display_name: Option<Name>,
    #[serde(default, deserialize_with = "if_it_is_one")]
    state: Option<Name>,
    #[serde(default, deserialize_with = "if_it_is_one")]
    tenant_id: Option<Guid>,
    managed_by_tenants: Option<Json>,
}

impl SubscriptionRow {
    fn identified(self) -> Option<ArmSubscription> {
        let Self { id, display_name, state, tenant_id, managed_by_tenants } = self;
        let (display_name, state) = (display_name.unwrap_or_default(), state.unwrap_or_default());
        Some(ArmSubscription { id: id?, display_name, state, tenant_id, managed_by_tenants })
    }
}

fn last_segment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Guid>, D::Error> {
    let path: Option<Name> = if_it_is_one(deserializer)?;
    Ok(path.and_then(|path| Guid::parse(path.rsplit('/').next()?)))
}

/// The rows that say which one they are. The others are told of, once and without their words: their
/// ids go into requests and command lines.
fn identified<R, T>(
    system: &System,
    rows: Vec<R>,
    what: &str,
    one: impl FnMut(R) -> Option<T>,
) -> Vec<T> {
    let all = rows.len();
    let known: Vec<T> = rows.into_iter().filter_map(one).collect();
    if known.len() < all {
        system.terminal.warn(&format!(
            "{} of the {all} {what} that Azure Resource Manager listed are left out: their ids are none (no GUIDs).",
            all - known.len()
        ));
    }
    known
}

/// The tenants of the account that `token` was issued to: `GET {resource manager}/tenants`, paged.
pub async fn tenants(
    system: &System,
    resource_manager: &EndpointUrl,
    token: &Secret,
) -> Result<Vec<Tenant>> {
    let path = format!("tenants?api-version={API_VERSION}");
    let rows = list(system, resource_manager, &path, token).await?;
    Ok(identified(system, rows, "tenants", TenantRow::identified))
}

/// The subscriptions that `token` can see in its tenant: `GET {resource manager}/subscriptions`,
/// paged.
pub async fn subscriptions(
    system: &System,
    resource_manager: &EndpointUrl,
    token: &Secret,
) -> Result<Vec<ArmSubscription>> {
    let path = format!("subscriptions?api-version={API_VERSION}");
    let rows = list(system, resource_manager, &path, token).await?;
    Ok(identified(system, rows, "subscriptions", SubscriptionRow::identified))
}

/// One subscription by its id (GUID): `GET {resource manager}/subscriptions/{id}`.
pub async fn subscription(
    system: &System,
    resource_manager: &EndpointUrl,
    id: &str,
    token: &Secret,
) -> Result<ArmSubscription> {
    let url = resource_manager.at(&format!("subscriptions/{id}?api-version={API_VERSION}"))?;
    let row: SubscriptionRow = get(system, &url, token).await?;
    row.identified().ok_or_else(|| no_sense(&url))
}

/// The tenants of the account as `account tenant list` prints them: `{"id", "tenantId"}`, from the
/// API version that az's `account` extension uses.
pub async fn tenant_ids(
    system: &System,
    resource_manager: &EndpointUrl,
    token: &Secret,
) -> Result<Vec<Value>> {
    let all = list(system, resource_manager, "tenants?api-version=2016-06-01", token).await?;
    Ok(only(all, &["id", "tenantId"]))
}

/// The locations of a subscription, with the members that az prints.
///
/// `extended` adds edge zones.
pub async fn locations(
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
        all,
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

/// The objects with these members alone, where they have them.
fn only(rows: Vec<Json>, members: &[&str]) -> Vec<Value> {
    let kept = |row: Json| {
        let mut row = row.into_value();
        if let Some(object) = row.as_object_mut() {
            object.retain(|name, _| members.contains(&name.as_str()));
        }
        row
    };
    rows.into_iter().map(kept).collect()
}

/// What a cloud says of itself at `url`, the metadata document of its resource manager.
pub async fn metadata(system: &System, url: &EndpointUrl) -> Result<Value> {
    let response = system.http.send(system, Request::get(url)).await?;
    if response.status != 200 {
        return Err(Error::failed(format!(
            "Unable to get endpoints from the cloud.\nServer returned status code {} for {url}",
            response.status
        )));
    }
    serde_json::from_slice(&response.body)
        .map(Json::into_value)
        .map_err(|_| Error::new(Kind::Service, format!("{url} did not answer with JSON.")))
}

async fn list<T: DeserializeOwned>(
    system: &System,
    resource_manager: &EndpointUrl,
    path: &str,
    token: &Secret,
) -> Result<Vec<T>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", bound(deserialize = "T: DeserializeOwned"))]
    struct Page<T> {
        value: Vec<T>,
        next_link: Option<String>,
    }
    let mut url = resource_manager.at(path)?;
    let what = path.split('?').next().unwrap_or(path);
    let endless = || {
        Error::new(
            Kind::Service,
            format!("{resource_manager} sent a list of {what} without an end."),
        )
    };
    let pages = async {
        let mut items = Vec::new();
        for _ in 0..MOST_PAGES {
            let page: Page<T> = get(system, &url, token).await?;
            items.extend(page.value);
            if items.len() > MOST_ITEMS {
                break;
            }
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else {
                return Ok(items);
            };
            // The token goes to the resource manager and nowhere else.
            let next = EndpointUrl::parse_with_query(&link, "The next page").ok();
            url = next.filter(|next| next.same_origin(resource_manager)).ok_or_else(|| {
                Error::new(
                    Kind::Service,
                    format!(
                        "{resource_manager} continues its list of {what} at another host ({}); the token was not sent there.",
                        Sentence::new(&link)
                    ),
                )
            })?;
        }
        Err(endless())
    };
    tokio::time::timeout(LIST_LIMIT, pages).await.unwrap_or_else(|_| Err(endless()))
}

/// What `url` answers, asked again if that is worth it: one tenant of sixty that is throttled must
/// not cost a person the whole sign-in.
async fn get<T: DeserializeOwned>(system: &System, url: &EndpointUrl, token: &Secret) -> Result<T> {
    let send = async || {
        let request = Request::get(url).header("accept", "application/json").bearer(token);
        let response = system.http.send(system, request).await?;
        system.terminal.debug(&format!("GET {url} -> {}", response.status));
        if response.status == 200 { Ok(response) } else { Err(refused(url, &response)) }
    };
    let response = retried(send).await?;
    serde_json::from_slice(&response.body).map_err(|_| no_sense(url))
}

fn no_sense(url: &EndpointUrl) -> Error {
    let path = url.without_query();
    Error::new(Kind::Service, format!("{path} sent an answer that makes no sense."))
}

/// The JSON text of the claims challenge that `error`, a refusal of this service, is: a token that
/// meets it would do.
pub fn challenge(error: &Error) -> Option<&str> {
    error.entra_detail()?.claims.as_deref()
}

/// ARM's error shape, as az prints it.
fn refused(url: &EndpointUrl, response: &Response) -> Error {
    #[derive(Deserialize)]
    struct Body {
        error: Detail,
    }
    #[derive(Deserialize)]
    struct Detail {
        code: Name,
        message: Sentence,
    }
    let status = response.status;
    let kind = match status {
        404 => Kind::NotFound,
        401 => Kind::InteractionRequired,
        429 | 500..=599 => Kind::Service,
        _ => Kind::Failed,
    };
    let error = match serde_json::from_slice::<Body>(&response.body) {
        Ok(Body { error: Detail { code, message } }) => {
            Error::new(kind, format!("({code}) {message}\nCode: {code}\nMessage: {message}"))
        }
        Err(_) => Error::new(kind, format!("{} answered HTTP {status}.", url.without_query())),
    };
    let error = match challenge::of_response(response) {
        Some(claims) => error.entra(EntraDetail {
            error: Name::new("insufficient_claims"),
            claims: Some(claims),
            ..EntraDetail::default()
        }),
        None => error,
    };
    passing(error, response)
}
