"""Gets a token as an application would: get_token.py CREDENTIAL SCOPE [NAME=VALUE…]

Prints one JSON object: the token, or the kind and text of the failure.
"""

import asyncio
import json
import sys

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureCliCredential, CredentialUnavailableError, DefaultAzureCredential
from azure.identity.aio import AzureCliCredential as AsyncAzureCliCredential

kind, scope, *rest = sys.argv[1:]
options = dict(pair.split("=", 1) for pair in rest)

# Excluded from the default chain, which leaves az: managed identity would connect to a real metadata service.
OTHERS = [
    "environment",
    "workload_identity",
    "managed_identity",
    "shared_token_cache",
    "visual_studio_code",
    "developer_cli",
    "powershell",
    "interactive_browser",
    "broker",
]


async def asynchronous():
    async with AsyncAzureCliCredential(**options) as credential:
        return await credential.get_token(scope)


def get():
    if kind == "async":
        return asyncio.run(asynchronous())
    if kind == "default":
        others = {f"exclude_{name}_credential": True for name in OTHERS}
        return DefaultAzureCredential(**others).get_token(scope)
    return AzureCliCredential(**options).get_token(scope)


try:
    token = get()
    print(json.dumps({"token": token.token, "expires_on": token.expires_on}))
except CredentialUnavailableError as error:
    print(json.dumps({"failure": "unavailable", "text": str(error)}))
except ClientAuthenticationError as error:
    print(json.dumps({"failure": "authentication", "text": str(error)}))
