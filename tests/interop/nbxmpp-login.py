"""Gajim's library, nbxmpp, logs in, writes to itself, loses its connection and has its session again.

    nbxmpp-login.py PORT      account romeo@localhost, password "secret"

Prints what was seen, one line each, and exits with 0 only where all of it came.
"""
import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib
from nbxmpp.client import Client
from nbxmpp.const import ConnectionProtocol, ConnectionType, Mode
from nbxmpp.protocol import Message, Presence
from nbxmpp.structs import StanzaHandler

PORT = sys.argv[1]
PATIENCE = 60

loop = GLib.MainLoop()
seen = []


def say(text):
    seen.append(text)
    print(text, flush=True)


client = Client(log_context="interop")
client.set_mode(Mode.CLIENT)
client.set_domain("localhost")
client.set_username("romeo")
client.set_resource("nbxmpp")
client.set_password("secret")
client.set_custom_host(f"127.0.0.1:{PORT}", ConnectionProtocol.TCP, ConnectionType.START_TLS)
client.set_ignore_tls_errors(True)  # GnuTLS trusts no file of ours


def connected(*_):
    mechanism = client._sasl._mechanism.name
    say(f"{mechanism} bound {client.get_bound_jid()}")
    client.send_stanza(Presence())
    client.send_stanza(Message(to="romeo@localhost/nbxmpp", body="before"))


def heard(_client, stanza, properties):
    say(f"heard {properties.body}")
    if properties.body == "before":
        client._con._con.get_socket().shutdown(True, True)  # the line is torn
    else:
        client.disconnect()


def resumed(*_):
    say("resumed")
    client.send_stanza(Message(to="romeo@localhost/nbxmpp", body="after"))


def disconnected(*_):
    if "heard after" in seen:
        loop.quit()
    else:
        client.connect()


def failed(what):
    def report(*_):
        print(f"{what}: {client.get_error()}", file=sys.stderr, flush=True)
        loop.quit()

    return report


client.subscribe("connected", connected)
client.subscribe("resume-successful", resumed)
client.subscribe("disconnected", disconnected)
for event in ("resume-failed", "connection-failed"):
    client.subscribe(event, failed(event))
client.register_handler(StanzaHandler(name="message", callback=heard))
GLib.timeout_add_seconds(PATIENCE, loop.quit)
client.connect()
loop.run()
if "heard after" in seen:
    say("done")
sys.exit(0 if seen[-1:] == ["done"] else 1)
