"""What azd's RemoteCredential does, for want of azd itself: azd.py SCOPE [TENANT]

Prints the token and its end, or azd's sentence for the failure.
"""

import datetime
import json
import os
import sys
import urllib.error
import urllib.request

body = {"scopes": sys.argv[1:2]}
if len(sys.argv) > 2:
    body["tenantId"] = sys.argv[2]
request = urllib.request.Request(
    os.environ["AZD_AUTH_ENDPOINT"] + "/token?api-version=2023-07-12-preview",
    json.dumps(body).encode(),
    {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["AZD_AUTH_KEY"]},
)
try:
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
        if response.status != 200:
            sys.exit(f"unexpected status code: {response.status}")
except urllib.error.HTTPError as error:
    sys.exit(f"unexpected status code: {error.code}")
if answer["status"] == "success":
    expires = datetime.datetime.fromisoformat(answer["expiresOn"].replace("Z", "+00:00"))
    print(json.dumps({"token": answer["token"], "expires": int(expires.timestamp())}))
elif answer["status"] == "error":
    sys.exit(f"failed to acquire token: code: {answer['code']} message: {answer['message']}")
else:
    sys.exit(f"unexpected status: {answer['status']}")
