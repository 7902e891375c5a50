//! Programs that take a token from their environment, and what each of them reads there.

use serde_json::Value;

use super::get_access_token::Issued;
use crate::accounts::Context;
use crate::entra::Scopes;
use crate::error::{Error, Kind, Result};
use crate::foreign::{self, Typed};
use crate::hosts::{Destination, Service};
use crate::near::nearest;
use crate::secret::Secret;
use crate::sys::EndpointUrl;

/// A program, or several that read the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consumer {
    /// libpq: psql, pg_dump and most drivers.
    Postgres,
    /// mysql and its libraries.
    Mysql,
    /// redis-cli.
    Redis,
    /// Package feeds of Azure Artifacts, and az's `devops` extension.
    Feeds,
    /// Terraform's azurerm provider.
    Terraform,
    /// The Databricks command line and its SDKs.
    Databricks,
    /// azcopy.
    Azcopy,
}

/// The consumers: the name in `--for`, the service, and whether it gets its token at the endpoint of
/// `exec` alone.
const CONSUMERS: [(Consumer, &str, &str, bool); 7] = [
    (Consumer::Postgres, "postgres", "postgres", false),
    (Consumer::Mysql, "mysql", "postgres", false),
    (Consumer::Redis, "redis", "redis", false),
    (Consumer::Feeds, "feeds", "devops", false),
    (Consumer::Terraform, "terraform", "arm", true),
    (Consumer::Databricks, "databricks", "databricks", false),
    (Consumer::Azcopy, "azcopy", "storage", true),
];

/// The variable of a token that no consumer gives another name.
pub(super) const ANY: &str = "ACCESS_TOKEN";

/// What `--for` names.
pub(super) struct Target {
    pub(super) scopes: Scopes,
    pub(super) destination: Option<Destination>,
    consumer: Option<Consumer>,
}

impl Target {
    /// The target `text`: a consumer (`feeds`), a consumer and its host (`postgres=HOST`), a service
    /// (`graph`), or the URL or host of one. `None` if no table knows the host.
    ///
    /// # Errors
    /// Those of [`Destination::of`]; there is no such name.
    pub(super) fn known(text: &str, context: &Context<'_>) -> Result<Option<Self>> {
        let text = text.trim();
        // A URL may have a `=` in its query.
        let is_name = |(name, _): &(&str, &str)| name.bytes().all(|c| c.is_ascii_alphanumeric());
        let (name, host) = match text.split_once('=').filter(is_name) {
            Some((name, host)) => (name, Some(host)),
            None => (text, None),
        };
        let row = CONSUMERS.iter().find(|(_, own, ..)| own.eq_ignore_ascii_case(name));
        match (row, host) {
            (Some((consumer, _, service, _)), Some(host)) => {
                // Each database has ports of its own; its client encrypts.
                let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
                let Some(destination) = destination(host, context)? else { return Ok(None) };
                let fits = destination.service == Some(service)
                    && is_mysql(&destination) == (*consumer == Consumer::Mysql);
                if !destination.is_own && !fits {
                    return Err(Error::new(
                        Kind::Inapplicable,
                        format!("{} is no host of {name}.", destination.host),
                    ));
                }
                Ok(Some(Self::at(destination, Some(*consumer))))
            }
            (Some((consumer, _, service, _)), None) => {
                let Some(service) = Service::named(service) else { return Ok(None) };
                let scopes = Scopes::of_resource(&service.audience(context.cloud(), None)?);
                Ok(Some(Self { scopes, destination: None, consumer: Some(*consumer) }))
            }
            (None, _) if name.eq_ignore_ascii_case("github") => Err(Error::new(
                Kind::Inapplicable,
                "GitHub takes no tokens of Entra ID: use 'gh auth token'.",
            )),
            (None, None) => {
                if let Some(service) = Service::named(text) {
                    let scopes = Scopes::of_resource(&service.audience(context.cloud(), None)?);
                    return Ok(Some(Self { scopes, destination: None, consumer: None }));
                }
                if !text.contains('.') && !text.contains(':') {
                    return Err(unknown(text));
                }
                let destination = destination(text, context)?;
                Ok(destination.map(|it| {
                    let of_service =
                        |(_, _, service, _): &&(_, _, &str, _)| it.service == Some(service);
                    let mut fitting = CONSUMERS.iter().filter(|row| !row.3).filter(of_service);
                    let consumer = fitting.find(|row| (row.0 == Consumer::Mysql) == is_mysql(&it));
                    let consumer = consumer.map(|row| row.0);
                    Self::at(it, consumer)
                }))
            }
            (None, Some(_)) => Err(unknown(name)),
        }
    }

    /// [`Target::known`], where an unknown host is an error.
    pub(super) fn of(text: &str, context: &Context<'_>) -> Result<Self> {
        Self::known(text, context)?.ok_or_else(|| {
            let host = text.split_once("://").map_or(text, |(_, rest)| rest);
            let host = host.split(['/', '?', '#']).next().unwrap_or(host);
            let host = host.split_once('=').map_or(host, |(_, host)| host);
            let host = host.rsplit('@').next().unwrap_or(host);
            Error::new(
                Kind::Refused,
                format!("{} is no host that azt gives a token to.", Typed(host)),
            )
            .remedy("See the table with: azt hosts")
            .remedy("Add a host of yours: azt config set host.HOST.audience=RESOURCE")
        })
    }

    fn at(destination: Destination, consumer: Option<Consumer>) -> Self {
        let scopes = Scopes::of_resource(&destination.audience);
        Self { scopes, destination: Some(destination), consumer }
    }

    /// True if the consumer gets its token at the endpoint of `exec`, and takes none itself.
    pub(super) fn needs_endpoint(&self) -> bool {
        CONSUMERS.iter().any(|row| Some(row.0) == self.consumer && row.3)
    }

    /// The audience of the token.
    pub(super) fn audience(&self) -> String {
        let scopes = self.scopes.joined();
        scopes.strip_suffix("/.default").map_or(scopes.clone(), str::to_owned)
    }

    /// The host that the token is for; empty if none was named.
    pub(super) fn host(&self) -> &str {
        self.destination.as_ref().map_or("", |it| &it.host)
    }

    /// The variables of the consumer, with the token.
    pub(super) fn variables(&self, issued: &Issued) -> Vec<(&'static str, Secret)> {
        let token = || issued.token.secret.clone();
        let text = |text: &str| Secret::new(text);
        let host = Some(self.host()).filter(|host| !host.is_empty());
        let user = user_name(&issued.token.secret);
        let mut all: Vec<(&'static str, Secret)> = Vec::new();
        let mut push = |name: &'static str, value: Option<Secret>| {
            all.extend(value.map(|value| (name, value)));
        };
        match self.consumer {
            Some(Consumer::Postgres) => {
                push("PGHOST", host.map(text));
                push("PGUSER", user.map(Secret::new));
                push("PGSSLMODE", host.map(|_| text("require")));
                push("PGPASSWORD", Some(token()));
            }
            Some(Consumer::Mysql) => {
                push("MYSQL_HOST", host.map(text));
                push("MYSQL_USER", user.map(Secret::new));
                push("LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", Some(text("1")));
                push("MYSQL_PWD", Some(token()));
            }
            Some(Consumer::Redis) => {
                push("REDIS_HOST", host.map(text));
                push("REDIS_USER", claim(&issued.token.secret, "oid").map(Secret::new));
                push("REDISCLI_AUTH", Some(token()));
            }
            Some(Consumer::Feeds) => {
                push("AZT_FEED_TOKEN", Some(token()));
                push("AZURE_DEVOPS_EXT_PAT", Some(token()));
            }
            Some(Consumer::Databricks) => {
                push("DATABRICKS_HOST", host.map(|host| Secret::new(format!("https://{host}"))));
                push("DATABRICKS_TOKEN", Some(token()));
            }
            Some(Consumer::Terraform) => {
                push("ARM_USE_MSI", Some(text("true")));
                push("ARM_USE_CLI", Some(text("false")));
                push("ARM_TENANT_ID", Some(text(&issued.tenant)));
                push("ARM_SUBSCRIPTION_ID", issued.subscription.as_deref().map(text));
            }
            Some(Consumer::Azcopy) => push("AZCOPY_AUTO_LOGIN_TYPE", Some(text("MSI"))),
            None => push(ANY, Some(token())),
        }
        all
    }
}

/// True for a host of MySQL or MariaDB, which share a service with PostgreSQL.
fn is_mysql(destination: &Destination) -> bool {
    [".mysql.", ".mariadb."].iter().any(|part| destination.pattern.contains(part))
}

/// Schemes of databases whose clients encrypt, at ports of their own.
const OF_DATABASES: [&str; 6] = ["postgres", "postgresql", "mysql", "rediss", "sqlserver", "mssql"];

/// The destination that `text` names: a host, or the URL of one.
fn destination(text: &str, context: &Context<'_>) -> Result<Option<Destination>> {
    let bare = text.split(['?', '#']).next().unwrap_or(text);
    let (scheme, rest) = bare.split_once("://").unwrap_or(("https", bare));
    let scheme = scheme.to_ascii_lowercase();
    let url = if OF_DATABASES.contains(&scheme.as_str()) {
        let host = rest.split('/').next().unwrap_or(rest);
        let host = host.rsplit('@').next().unwrap_or(host);
        format!("https://{}", host.split(':').next().unwrap_or(host))
    } else if ["https", "http"].contains(&scheme.as_str()) {
        format!("{scheme}://{rest}")
    } else {
        let text = format!("A token must not be sent by {}.", Typed(&scheme));
        return Err(Error::new(Kind::Refused, text).remedy("Use https."));
    };
    let url = EndpointUrl::parse(&url, "The host of --for")?;
    Destination::of(&url, context.cloud(), &context.config)
}

/// The user's name in the claims of `token`, as databases know it; `None` for an application.
pub(super) fn user_name(token: &Secret) -> Option<String> {
    ["upn", "preferred_username", "unique_name"].into_iter().find_map(|name| claim(token, name))
}

/// A claim of `token` that is one word. It is not verified.
pub(super) fn claim(token: &Secret, name: &str) -> Option<String> {
    let claims = foreign::base64(token.expose().split('.').nth(1)?)?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let text = claims.get(name)?.as_str()?;
    let is_word = !text.is_empty() && text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    is_word.then(|| text.to_owned())
}

fn unknown(name: &str) -> Error {
    let error =
        Error::new(Kind::Usage, format!("azt knows no '{}' to get a token for.", Typed(name)));
    let names = CONSUMERS.iter().map(|(_, name, ..)| *name).chain(Service::names());
    match nearest(name, names) {
        Some(meant) => error.remedy(format!("Did you mean {meant}?")),
        None => error
            .remedy("Name a service, its URL, or a program: postgres=HOST, redis=HOST, feeds, …"),
    }
}
