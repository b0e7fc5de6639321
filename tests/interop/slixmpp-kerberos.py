"""A slixmpp client logs in by a ticket of Kerberos, without a password, and gets its roster.

    slixmpp-kerberos.py PORT CERTIFICATE      account juliet@localhost, tickets of juliet where KRB5CCNAME says

Prints what it was bound to, and exits with 0 only where that came.
"""
import asyncio
import sys

import slixmpp

PORT, CERTIFICATE = int(sys.argv[1]), sys.argv[2]
PATIENCE = 60


async def main():
    client = slixmpp.ClientXMPP("juliet@localhost/slixmpp", "", sasl_mech="GSSAPI")
    client.ca_certs = CERTIFICATE
    client.credentials["service-name"] = "localhost"
    client.add_event_handler("failed_all_auth", lambda _: sys.exit("refused"))
    client.connect(("127.0.0.1", PORT))
    await asyncio.wait_for(client.wait_until("session_start"), PATIENCE)
    await client.get_roster()
    print(client.boundjid.full, flush=True)
    await client.disconnect()


asyncio.get_event_loop().run_until_complete(main())
