"""Signs a user in with msal, as az does: federated.py USERNAME PASSWORD SCOPE

The authority is https://localhost. Prints one JSON object: the token, or the text of the failure.
"""

import json
import os
import sys
import warnings

import msal

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
username, password, scope = sys.argv[1:]
warnings.simplefilter("ignore", DeprecationWarning)
app = msal.PublicClientApplication(
    AZURE_CLI,
    authority="https://localhost/organizations",
    instance_discovery=False,
    verify=os.environ["REQUESTS_CA_BUNDLE"],
)
try:
    result = app.acquire_token_by_username_password(username, password, [scope])
except (RuntimeError, ValueError) as error:
    result = {"failure": str(error)}
answer = {"token": result.get("access_token"), "failure": result.get("failure") or result.get("error_description")}
accounts = app.get_accounts()
if accounts:
    answer["username"] = accounts[0]["username"]
print(json.dumps(answer))
