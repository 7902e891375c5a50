"""Forwards plain HTTP from a free port, which it prints, to an HTTPS service.

    without_tls.py https://localhost:8443 ca.pem

For wine, whose certificate verification does not support a program's own authorities.
"""

import http.server
import ssl
import sys
import urllib.error
import urllib.request

SERVICE, CA_FILE = sys.argv[1:]
CONTEXT = ssl.create_default_context(cafile=CA_FILE)
# The request headers to forward, and the answer headers that this server sets itself.
HEADERS = ("accept", "authorization", "content-type", "metadata")
CODING = ("connection", "content-length", "transfer-encoding")


class Passage(http.server.BaseHTTPRequestHandler):
    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))) or None
        headers = {name: self.headers[name] for name in HEADERS if name in self.headers}
        request = urllib.request.Request(SERVICE + self.path, body, headers, method=self.command)
        try:
            answer = urllib.request.urlopen(request, context=CONTEXT)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in CODING:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = pass_on

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Passage)
print(server.server_port, flush=True)
server.serve_forever()
