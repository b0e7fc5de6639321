"""The initiator's side of the GSS-API, for tests: reads calls and writes answers, one JSON text a line.

    ["begin", PRINCIPAL, MUTUAL, ENCRYPTION]   the first token for this service; the encryption may be null, for any
    ["step", TOKEN]                the next one, empty where there is none
    ["wrap", BYTES], ["unwrap", BYTES]

Tokens and bytes are in base64, in the calls and in the answers; what the library refuses is {"error": …}.
"""
import base64
import json
import sys

import gssapi

FLAGS = gssapi.RequirementFlag
context = None


def call(name, *args):
    global context
    if name == "begin":
        service = gssapi.Name(args[0], gssapi.NameType.kerberos_principal)
        flags = FLAGS.integrity | FLAGS.out_of_sequence_detection
        if args[1]:
            flags |= FLAGS.mutual_authentication
        tickets = gssapi.Credentials(usage="initiate")
        if args[2] is not None:
            gssapi.raw.krb5_set_allowable_enctypes(tickets, [args[2]])
        context = gssapi.SecurityContext(name=service, creds=tickets, usage="initiate", flags=flags)
        return context.step()
    data = base64.b64decode(args[0])
    if name == "step":
        return context.step(data)
    if name == "wrap":
        return context.wrap(data, False).message
    return context.unwrap(data).message


for line in sys.stdin:
    try:
        print(json.dumps(base64.b64encode(call(*json.loads(line)) or b"").decode()), flush=True)
    except gssapi.exceptions.GSSError as error:
        print(json.dumps({"error": str(error)}), flush=True)
