"""google-auth exchanges what a program prints for a token of Google's: google_auth.py COMMAND

Prints what Google's token service was sent, or the text of the failure.
"""

import http.server
import json
import sys
import threading
import urllib.parse

import google.auth.exceptions
import google.auth.pluggable
import google.auth.transport.requests


class TokenService(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.sent = dict(urllib.parse.parse_qsl(body))
        answer = {"access_token": "of-google", "expires_in": 3600, "token_type": "Bearer"}
        answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
        answer = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


service = http.server.HTTPServer(("127.0.0.1", 0), TokenService)
threading.Thread(target=service.serve_forever, daemon=True).start()
credentials = google.auth.pluggable.Credentials.from_info(
    {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/entra",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"http://127.0.0.1:{service.server_port}/v1/token",
        "credential_source": {"executable": {"command": sys.argv[1], "timeout_millis": 30000}},
    }
)
try:
    credentials.refresh(google.auth.transport.requests.Request())
    print(json.dumps({"token": credentials.token, "sent": service.sent}))
except google.auth.exceptions.RefreshError as error:
    print(json.dumps({"text": str(error)}))
