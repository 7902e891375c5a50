"""Signs in to an emulator with Python's azure-identity and msal. Arguments: URL, HTTP URL, certificate file."""

import base64
import json
import os
import sys
import urllib.request

import msal
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    DeviceCodeCredential,
    ManagedIdentityCredential,
    OnBehalfOfCredential,
)

URL, HTTP_URL, CERTIFICATE = sys.argv[1:4]
CONTOSO = "c0000000-0000-4000-8000-00000000000a"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
DEPLOYMENT = "a1000000-0000-4000-8000-000000000001"
NIGHTLY = "a1000000-0000-4000-8000-000000000002"
WORKFLOW = "a1000000-0000-4000-8000-000000000003"
PORTAL = "a1000000-0000-4000-8000-000000000004"
ARM = "https://management.azure.com/.default"
HERE = {"authority": URL, "disable_instance_discovery": True}


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def assertion():
    query = "iss=https://token.actions.githubusercontent.com&sub=repo:contoso/app:ref:refs/heads/main"
    with urllib.request.urlopen(f"{HTTP_URL}/_emulator/assertion?{query}") as answer:
        return json.load(answer)["value"]


def check(credential, name, value):
    token = credential.get_token(ARM).token
    assert claims(token)[name] == value, (credential, claims(token))


def main():
    works = 0
    for credential, name, value in [
        (ClientSecretCredential(CONTOSO, DEPLOYMENT, "deployment-secret-1", **HERE), "appid", DEPLOYMENT),
        (CertificateCredential(CONTOSO, NIGHTLY, CERTIFICATE, **HERE), "appid", NIGHTLY),
        (ClientAssertionCredential(CONTOSO, WORKFLOW, assertion, **HERE), "appid", WORKFLOW),
        (DeviceCodeCredential(AZURE_CLI, tenant_id=CONTOSO, **HERE), "upn", "alice@contoso.example"),
    ]:
        check(credential, name, value)
        works += 1

    try:
        ClientSecretCredential(CONTOSO, DEPLOYMENT, "wrong", **HERE).get_token(ARM)
        raise AssertionError("a wrong secret was accepted")
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error), error

    app = msal.PublicClientApplication(AZURE_CLI, authority=f"{URL}/{CONTOSO}", instance_discovery=False)
    flow = app.initiate_device_flow(["api://contoso-portal/access_as_user"])
    answer = app.acquire_token_by_device_flow(flow)
    account = app.get_accounts()[0]
    assert account["username"] == "alice@contoso.example", account
    again = app.acquire_token_silent(["https://vault.azure.net/.default"], account)
    assert claims(again["access_token"])["aud"] == "https://vault.azure.net", again
    works += 1

    behalf = OnBehalfOfCredential(
        CONTOSO, PORTAL, client_secret="portal-secret-1", user_assertion=answer["access_token"], **HERE
    )
    check(behalf, "upn", "alice@contoso.example")
    works += 1

    system = "e1000000-0000-4000-8000-000000000001"
    worker = "e1000000-0000-4000-8000-000000000002"
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = HTTP_URL
    check(ManagedIdentityCredential(), "appid", system)
    check(ManagedIdentityCredential(client_id=worker), "appid", worker)
    works += 2
    os.environ["IDENTITY_ENDPOINT"] = f"{HTTP_URL}/msi/token"
    os.environ["IDENTITY_HEADER"] = "emulator-identity-header"
    check(ManagedIdentityCredential(), "appid", system)
    works += 1
    print(f"{works} credentials work")


main()
