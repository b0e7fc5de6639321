"""A slixmpp client logs in over TLS 1.2, bound to the connection by tls-unique.

    slixmpp-bound.py PORT CERTIFICATE      account romeo@localhost, password "secret"

Prints by which mechanism, and what was bound.
"""
import asyncio
import ssl
import sys

import slixmpp

PORT, CERTIFICATE = int(sys.argv[1]), sys.argv[2]
PATIENCE = 60


class Client(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__("romeo@localhost/slixmpp", "secret")
        self.ca_certs = CERTIFICATE
        self.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2

    async def log_in(self):
        self.connect(("127.0.0.1", PORT))
        await asyncio.wait_for(self.wait_until("session_start"), PATIENCE)
        mechanism = self["feature_mechanisms"].mech
        bound = "-PLUS" if mechanism.use_channel_binding else ""
        print(f"SCRAM-{mechanism.hash_name}{bound} over {self.socket.version()}", flush=True)
        await self.disconnect()


client = Client()
client.loop.run_until_complete(client.log_in())
