#!/usr/bin/python3
"""An identity broker on the session bus, with the methods and the JSON of Microsoft's.

    identity_broker.py FOLDER          on the session bus
    identity_broker.py FOLDER --line   as the azt.exe of Windows: one line in, one line out

FOLDER/mode says how it behaves, and may change between calls: `honest`, or one of the faults below.
FOLDER/calls gets a line for each call. Its users are Alice and, in the mode `two`, Bob; it signs them in
to the emulator with their passwords (a real broker would use the device's key). REQUESTS_CA_BUNDLE
is the emulator's authority.

    refuse        answers with a D-Bus error
    interaction   needs the user (status 2)
    policy        Conditional Access forbids it (status 9)
    hang          does not answer
    hangsAfterOne answers one question for a token, and from then on writes FOLDER/hangs and does not answer
    die           exits during the call
    rubbish       answers with text that is not JSON
    huge          answers with 2 MiB
    nobody        has no account
    otherCloud    its accounts are of another cloud
    otherAccount, otherClient, otherTenant   a token that was not asked for
    idToken       an ID token as the access token
    seconds       `expiresOn` in seconds instead of milliseconds
    himmelblau    `expiresOn` with seconds added to milliseconds

Needs python3-gi. It is ready once its name is on the bus of DBUS_SESSION_BUS_ADDRESS.
"""

import base64
import functools
import json
import os
import signal
import ssl
import sys
import time
import urllib.parse
import urllib.request

FOLDER = sys.argv[1]
NAME, PATH = "com.microsoft.identity.broker1", "/com/microsoft/identity/broker1"
CONTOSO, FABRIKAM = "c0000000-0000-4000-8000-00000000000a", "f0000000-0000-4000-8000-00000000000b"
PASSWORDS = {"alice@contoso.example": "Alice-password-1", "bob@fabrikam.example": "Bob-password-1"}
ANSWERED = []
METHODS = ["getAccounts", "acquireTokenSilently"]
INTERFACE = (
    '<node><interface name="com.microsoft.identity.Broker1">'
    + "".join(
        f'<method name="{method}"><arg type="s" direction="in"/><arg type="s" direction="in"/>'
        '<arg type="s" direction="in"/><arg type="s" direction="out"/></method>'
        for method in METHODS
    )
    + "</interface></node>"
)


def mode():
    with open(f"{FOLDER}/mode") as file:
        return file.read().strip()


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def payload(jwt):
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_in(username, authority, client, scopes):
    """The emulator's answer to the user's password."""
    form = {
        "client_id": client,
        "grant_type": "password",
        "username": username,
        "password": PASSWORDS[username],
        "scope": " ".join(scopes + ["openid", "profile", "offline_access"]),
        "client_info": "1",
    }
    request = urllib.request.Request(
        f"{authority}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode()
    )
    trust = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    with urllib.request.urlopen(request, context=trust) as answer:
        return json.load(answer)


@functools.cache
def account_of(username, authority, client):
    home = authority.rsplit("/", 1)[0] + "/organizations"
    scopes = ["https://graph.microsoft.com/.default"]
    claims = payload(signed_in(username, home, client, scopes)["id_token"])
    return {
        "environment": urllib.parse.urlsplit(authority).netloc,
        "givenName": claims["name"],
        "homeAccountId": f"{claims['oid']}.{claims['tid']}",
        "localAccountId": claims["oid"],
        "name": claims["name"],
        "realm": claims["tid"],
        "username": username,
    }


def get_accounts(request):
    users = {"nobody": [], "two": list(PASSWORDS)}.get(mode(), list(PASSWORDS)[:1])
    authority = os.environ["AUTHORITY"] + "/organizations"
    accounts = [account_of(user, authority, request["clientId"]) for user in users]
    if mode() == "otherCloud":
        accounts = [account | {"environment": "login.windows.net"} for account in accounts]
    return {"accounts": accounts}


def acquire_token_silently(request):
    wanted, fault = request["authParameters"], mode()
    assert wanted["account"] == request["account"], "the account in both places"
    assert wanted["uxContextHandle"] == -1 and wanted["authorizationType"] == 1
    if fault == "interaction":
        text = "AADSTS50076: Due to a change made by your administrator, use multi-factor authentication."
        return {"brokerTokenResponse": {"error": {"context": text, "status": 2, "subStatus": 0}}}
    if fault == "policy":
        return {"error": {"context": "AADSTS53003: Access has been blocked.", "status": 9}}
    username, authority, client = wanted["username"], wanted["authority"], wanted["clientId"]
    if fault == "otherAccount":
        username = "bob@fabrikam.example"
        authority = f"{authority.rsplit('/', 1)[0]}/{FABRIKAM}"
    if fault == "otherClient":
        client = "1950a258-227b-4e31-a9cf-717495945fc2"
    if fault == "otherTenant":
        authority = f"{authority.rsplit('/', 1)[0]}/{FABRIKAM}"
    answer = signed_in(username, authority, client, wanted["requestedScopes"])
    now = int(time.time() * 1000)
    expires = {
        "seconds": now // 1000 + answer["expires_in"],
        "himmelblau": now + answer["expires_in"],
    }.get(fault, now + answer["expires_in"] * 1000)
    token = {
        "accessToken": answer["id_token" if fault == "idToken" else "access_token"],
        "accessTokenType": 0,
        "clientInfo": answer["client_info"],
        "expiresOn": expires,
        "extendedExpiresOn": expires,
        "grantedScopes": answer["scope"],
        "idToken": answer["id_token"],
    }
    return {"brokerTokenResponse": token}


def answered(method, request):
    """The JSON text that answers, or misbehaves."""
    with open(f"{FOLDER}/calls", "a") as calls:
        calls.write(f"{method} {request}\n")
    fault = mode()
    try:
        functions = {"getAccounts": get_accounts, "acquireTokenSilently": acquire_token_silently}
        text = json.dumps(functions[method](json.loads(request)))
    except Exception as error:
        text = json.dumps({"error": {"context": f"stand-in: {error!r}", "status": 0}})
    if fault == "rubbish":
        text = "{not JSON"
    if fault == "huge":
        text = json.dumps({"accounts": ["x" * (2 << 20)]})
    return text


def answer_line():
    question, fault = json.loads(sys.stdin.readline()), mode()
    assert list(question) == ["version", "method", "request"]
    answer = json.dumps({"version": 1, "answer": answered(question["method"], question["request"])})
    if fault == "hang":
        signal.pause()
    if fault == "refuse":
        answer = json.dumps({"version": 1, "error": {"kind": "InteractionRequired", "message": "WAM\nneeds you."}})
    if fault == "version":
        answer = json.dumps({"version": 2, "token": "?"})
    if fault == "rubbish":
        answer = "{not JSON"
    if fault != "die":
        print(answer, flush=True)


def answer(_bus, _sender, _path, _interface, method, arguments, invocation):
    protocol, correlation, request = arguments.unpack()
    fault = mode()
    if protocol != "0.0" or len(correlation) != 36:
        fault = "refuse"
    if fault == "hang":
        return
    if fault == "hangsAfterOne" and method == "acquireTokenSilently":
        if ANSWERED:
            open(f"{FOLDER}/hangs", "w").close()
            return
        ANSWERED.append(method)
    if fault == "die":
        os._exit(1)
    if fault == "refuse":
        invocation.return_dbus_error("org.freedesktop.DBus.Error.Failed", "Unable to find account")
        return
    invocation.return_value(GLib.Variant("(s)", (answered(method, request),)))


if "--line" in sys.argv:
    answer_line()
    sys.exit(0)
# Not needed by an azt.exe, which must answer within three seconds on a busy machine too.
from gi.repository import Gio, GLib

bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object(PATH, Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0], answer)
Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE)
GLib.MainLoop().run()
