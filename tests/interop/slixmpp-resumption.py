"""A slixmpp client loses its connection again and again, resumes its session, and gets everything once.

    slixmpp-resumption.py PORT PROXY CERTIFICATE      accounts romeo@localhost and juliet@localhost, password "secret"

Romeo connects to PORT, Juliet to PROXY. Prints "lose" and "cut" and waits for a line of input after each; exits with 0
only where all came.
"""
import asyncio
import sys

import slixmpp

PORT, PROXY, CERTIFICATE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PATIENCE = 60
ROUNDS = 3


class Client(slixmpp.ClientXMPP):
    def __init__(self, name, port):
        super().__init__(f"{name}@localhost/slixmpp", "secret")
        self.ca_certs = CERTIFICATE
        self.port = port
        self.bodies = asyncio.Queue()
        self.resumed = asyncio.Queue()
        self.absences = []
        self.leaving = False
        for plugin in ("xep_0030", "xep_0198", "xep_0199", "xep_0280"):
            self.register_plugin(plugin)
        self.add_event_handler("message", lambda m: self.bodies.put_nowait(m["body"]))
        self.add_event_handler("got_offline", lambda p: self.absences.append(p["from"].bare))
        self.add_event_handler("session_resumed", lambda _: self.resumed.put_nowait(True))
        self.add_event_handler("disconnected", self.on_disconnected)

    async def log_in(self):
        self.connect(("127.0.0.1", self.port))
        await asyncio.wait_for(self.wait_until("session_start"), PATIENCE)
        await self.get_roster()
        self.send_presence()
        await self.ping()
        assert self["xep_0198"].sm_id, "the session can be resumed"

    def on_disconnected(self, _):
        if not self.leaving:
            self.connect(("127.0.0.1", self.port))

    async def ping(self):
        await self["xep_0199"].ping("localhost", timeout=PATIENCE)

    async def hear(self, *expected):
        heard = [await asyncio.wait_for(self.bodies.get(), PATIENCE) for _ in expected]
        assert heard == list(expected), (self.boundjid.bare, heard, expected)

    async def log_out(self):
        self.leaving = True
        await self.disconnect()


async def ask(what):
    print(what, flush=True)
    await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)


async def story():
    romeo, juliet = Client("romeo", PORT), Client("juliet", PROXY)
    await romeo.log_in()
    await juliet.log_in()
    romeo.send_presence_subscription("juliet@localhost")
    juliet.send_presence_subscription("romeo@localhost")
    await romeo.ping()
    await juliet.ping()

    for turn in range(ROUNDS):
        romeo.send_message("juliet@localhost", f"heard {turn}", mtype="chat")
        await juliet.hear(f"heard {turn}")

        # what is said to her from now on is lost, and so are the acknowledgements of what she says
        await ask("lose")
        for number in range(7):
            romeo.send_message("juliet@localhost", f"lost {turn} {number}", mtype="chat")
            juliet.send_message("romeo@localhost", f"said {turn} {number}", mtype="chat")
        await romeo.hear(*(f"said {turn} {number}" for number in range(7)))
        await romeo.ping()
        await ask("cut")
        await asyncio.wait_for(juliet.resumed.get(), PATIENCE)
        await juliet.hear(*(f"lost {turn} {number}" for number in range(7)))
        await juliet.ping()
        juliet.send_message("romeo@localhost", f"after {turn}", mtype="chat")
        await romeo.hear(f"after {turn}")

    assert juliet.bodies.empty() and romeo.bodies.empty()
    assert not romeo.absences, "nobody saw that she was away"
    await juliet.log_out()
    await romeo.log_out()
    print("done", flush=True)


asyncio.get_event_loop().run_until_complete(story())
