"""Reads a published cache with Azure's libraries: shared_cache.py KIND AUTHORITY-HOST SCOPE USERNAME

KIND is `shared` (SharedTokenCacheCredential), `options` (a credential with TokenCachePersistenceOptions that must
not prompt) or `msal` (msal and msal-extensions directly). Prints one JSON object: the access token, and whether
it came from an encrypted store.
"""

import json
import os
import sys

import msal
import msal_extensions
from azure.identity import (
    AuthenticationRecord,
    DeviceCodeCredential,
    SharedTokenCacheCredential,
    TokenCachePersistenceOptions,
)
from azure.identity._persistent_cache import _get_persistence

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
kind, host, scope, username = sys.argv[1:]
persistence = _get_persistence(True, "MSALCache", "msal.cache.nocae")
is_encrypted = not isinstance(persistence, msal_extensions.FilePersistence) or isinstance(
    persistence, msal_extensions.LibsecretPersistence
)


def account():
    rows = json.loads(persistence.load())["Account"].values()
    return next(row for row in rows if row["username"] == username)


def get():
    if kind == "shared":
        credential = SharedTokenCacheCredential(username, authority=host, disable_instance_discovery=True)
        return credential.get_token(scope).token
    if kind == "options":
        row = account()
        record = AuthenticationRecord(row["realm"], AZURE_CLI, host, row["home_account_id"], username)
        credential = DeviceCodeCredential(
            AZURE_CLI,
            authentication_record=record,
            cache_persistence_options=TokenCachePersistenceOptions(allow_unencrypted_storage=not is_encrypted),
            disable_automatic_authentication=True,
            disable_instance_discovery=True,
        )
        return credential.get_token(scope).token
    cache = msal_extensions.PersistedTokenCache(persistence)
    app = msal.PublicClientApplication(
        AZURE_CLI,
        authority=f"https://{host}/organizations",
        token_cache=cache,
        instance_discovery=False,
        verify=os.environ["REQUESTS_CA_BUNDLE"],
    )
    accounts = app.get_accounts(username)
    assert len(accounts) == 1, accounts
    result = app.acquire_token_silent([scope], accounts[0])
    assert result and "access_token" in result, result
    return result["access_token"]


print(json.dumps({"token": get(), "encrypted": is_encrypted}))
