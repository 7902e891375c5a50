"""Checks SPNEGO tokens with a keytab (KRB5_KTNAME): prints its port, then reads one token per connection, as a line of
base64, and answers with `OK principal` or `NO reason`."""

import base64
import socketserver

import gssapi


class Acceptor(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            token = base64.b64decode(self.rfile.readline().strip(), validate=True)
            credential = gssapi.Credentials(usage="accept")
            context = gssapi.SecurityContext(usage="accept", creds=credential)
            context.step(token)
            answer = f"OK {context.initiator_name}" if context.complete else "NO it needs another token"
        except Exception as error:
            answer = f"NO {error}".replace("\n", " ")
        self.wfile.write(f"{answer}\n".encode())


with socketserver.TCPServer(("127.0.0.1", 0), Acceptor) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
