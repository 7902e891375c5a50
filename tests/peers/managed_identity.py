"""Gets tokens as an application on a managed identity does: managed_identity.py KIND SCOPE… [client_id=ID]

KIND is sync, async, default, default-async or msal. Prints a JSON list: tokens, or the texts of failures.
"""

import asyncio
import json
import sys

import azure.identity
import azure.identity.aio
import msal
import requests
from azure.core.exceptions import ClientAuthenticationError

kind, *rest = sys.argv[1:]
client_id = next((it.partition("=")[2] for it in rest if it.startswith("client_id=")), None)
scopes = [it for it in rest if not it.startswith("client_id=")]


def credential(module):
    if kind.startswith("default"):
        return module.DefaultAzureCredential(managed_identity_client_id=client_id)
    return module.ManagedIdentityCredential(client_id=client_id)


def shown(token):
    return {"token": token.token, "expires_on": token.expires_on}


def failed(error):
    return {"failure": type(error).__name__, "text": str(error)}


def of_msal():
    identity = msal.UserAssignedManagedIdentity(client_id=client_id) if client_id else msal.SystemAssignedManagedIdentity()
    client = msal.ManagedIdentityClient(identity, http_client=requests.Session())
    for scope in scopes:
        answer = client.acquire_token_for_client(resource=scope.removesuffix("/.default"))
        if "access_token" in answer:
            yield {"token": answer["access_token"], "expires_in": answer["expires_in"]}
        else:
            yield {"failure": answer["error"], "text": answer["error_description"]}


def synchronous():
    own = credential(azure.identity)
    for scope in scopes:
        try:
            yield shown(own.get_token(scope))
        except ClientAuthenticationError as error:
            yield failed(error)


async def asynchronous():
    found = []
    async with credential(azure.identity.aio) as own:
        for scope in scopes:
            try:
                found.append(shown(await own.get_token(scope)))
            except ClientAuthenticationError as error:
                found.append(failed(error))
    return found


if kind == "msal":
    answers = list(of_msal())
elif kind.endswith("async"):
    answers = asyncio.run(asynchronous())
else:
    answers = list(synchronous())
print(json.dumps(answers))
