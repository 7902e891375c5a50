//! `serve`: a token endpoint for other programs, containers and machines.

use std::path::Path;

use serde_json::{Map, Value};

use super::Answer;
use super::endpoint::{Allowed, Audit, Door, Endpoint, Source, random_key};
use super::exec::variables;
use crate::accounts::Context;
use crate::cli::{Serve, Shown};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::shell::quoted;
use crate::sys::{
    Listener, block_on, connections_at_most, end_stdout, stop_requested, this_program, until,
};

/// Most connections at a time, if the limit of file descriptors allows them.
const CONNECTIONS: usize = 4096;

/// The place of the socket and of azt in a container.
const IN_CONTAINER: &str = "/run/azt.sock";
const AZ_IN_CONTAINER: &str = "/usr/local/bin/az";

pub(super) fn run(request: &Serve, context: &Context<'_>) -> Result<Answer> {
    let source = Source::of(&request.account.request(&request.global), context)?;
    let audit = request.audit.as_deref().map(Audit::open).transpose()?;
    let only = Some(request.resource.as_slice()).filter(|_| !request.any_resource);
    let allowed = Allowed::of(only, &[], request.confirm, context)?;
    if request.confirm && !context.system.can_ask() {
        return Err(Error::failed("--confirm asks at the terminal, and there is none."));
    }
    let is_for_containers = !matches!(request.print, Shown::Env | Shown::Json);
    if is_for_containers && request.socket.is_none() {
        return Err(Error::new(
            Kind::Inapplicable,
            "A container does not reach a port of this machine.",
        )
        .remedy("Add --socket PATH."));
    }
    let system = context.system;
    let account = source.account().to_owned();
    block_on(async {
        // Before there is a socket: a signal then removes it.
        let stopped = stop_requested()?;
        let (listener, door, shown) = if let Some(path) = &request.socket {
            let (listener, path) = socket(path, &request.allow_uid)?;
            (listener, Door::Socket, of_socket(&path, request.print)?)
        } else {
            let listener = Listener::loopback()?;
            let (port, key) = (listener.port(), random_key()?);
            let shown = of_variables(&variables(port, &key, context), request.print);
            (listener, Door::at_port(port, key), shown)
        };
        system.terminal.result(&shown)?;
        // A shell that reads the output, as `eval` does, waits for its end.
        end_stdout();
        system.tell(&format!("Handing out tokens of {account}. Stop with Ctrl-C."));
        let endpoint = Endpoint::new(door, source, allowed, audit, system);
        let serving = listener
            .serve(connections_at_most(CONNECTIONS), move |call| endpoint.clone().answer(call));
        until(stopped, serving).await;
        Ok::<_, Error>(())
    })??;
    Ok(Answer::none())
}

#[cfg(unix)]
fn socket(path: &Path, allowed: &[u32]) -> Result<(Listener, std::path::PathBuf)> {
    let path = std::path::absolute(path)
        .map_err(|error| Error::failed(format!("{}: {error}.", path.display())))?;
    crate::sys::Socket::listen(&path, allowed).map(|listener| (listener, path))
}

#[cfg(not(unix))]
fn socket(_path: &Path, _allowed: &[u32]) -> Result<(Listener, std::path::PathBuf)> {
    Err(Error::new(Kind::Inapplicable, "This system has no sockets with an owner: omit --socket."))
}

/// Variables for a shell, or as JSON.
fn of_variables(all: &[(String, Secret)], shown: Shown) -> String {
    if shown == Shown::Json {
        let value = |(name, value): &(String, Secret)| (name.clone(), value.expose().into());
        let all: Map<String, Value> = all.iter().map(value).collect();
        return format!("{:#}\n", Value::Object(all));
    }
    let line =
        |(name, value): &(String, Secret)| format!("export {name}={}\n", quoted(value.expose()));
    all.iter().map(line).collect()
}

/// What a client of the socket at `path` needs.
fn of_socket(path: &Path, shown: Shown) -> Result<String> {
    let path = path.display().to_string();
    let here = [("AZT_BROKER".to_owned(), Secret::new(format!("unix:{path}")))];
    let azt = this_program()?.display().to_string();
    let json = |text: &str| Value::from(text).to_string();
    let broker = format!("AZT_BROKER=unix:{IN_CONTAINER}");
    let mounts = [
        format!("type=bind,source={path},target={IN_CONTAINER}"),
        format!("type=bind,source={azt},target={AZ_IN_CONTAINER},readonly"),
    ];
    Ok(match shown {
        Shown::Env | Shown::Json => of_variables(&here, shown),
        Shown::Docker => format!(
            "docker run --mount {} --mount {} --env {broker} IMAGE\n",
            quoted(&mounts[0]),
            quoted(&mounts[1])
        ),
        Shown::Devcontainer => format!(
            "\"mounts\": [\n  {},\n  {}\n],\n\"remoteEnv\": {{ \"AZT_BROKER\": \"unix:{IN_CONTAINER}\" }}\n",
            json(&mounts[0]),
            json(&mounts[1])
        ),
        Shown::Compose => format!(
            "environment:\n  AZT_BROKER: unix:{IN_CONTAINER}\nvolumes:\n  - {}\n  - {}\n",
            json(&format!("{path}:{IN_CONTAINER}")),
            json(&format!("{azt}:{AZ_IN_CONTAINER}:ro"))
        ),
        Shown::Kubernetes => format!(
            include_str!("serve/pod.yaml"),
            socket = json(&path),
            azt = json(&azt),
            in_container = IN_CONTAINER,
            az = AZ_IN_CONTAINER
        ),
    })
}
