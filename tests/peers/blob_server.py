"""A storage account of one container: blob_server.py CERTIFICATE KEY. Prints its port, and then each Authorization."""

import http.server
import ssl
import sys

CONTAINERS = b"""<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Containers><Container><Name>backups</Name>
<Properties><Last-Modified>Sun, 29 Nov 2026 12:00:00 GMT</Last-Modified><Etag>x</Etag></Properties></Container>
</Containers><NextMarker/></EnumerationResults>"""


class Account(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.headers["Authorization"], flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(CONTAINERS)))
        self.end_headers()
        self.wfile.write(CONTAINERS)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Account)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
