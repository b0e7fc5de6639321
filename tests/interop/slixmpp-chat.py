"""Two slixmpp clients become contacts, see each other and chat, offline messages included.

    slixmpp-chat.py PORT CERTIFICATE      accounts romeo@localhost and juliet@localhost, password "secret"

Prints what was seen, one line each, and exits with 0 only where all of it came.
"""
import asyncio
import sys

import slixmpp

PORT, CERTIFICATE = int(sys.argv[1]), sys.argv[2]
PATIENCE = 60


class Client(slixmpp.ClientXMPP):
    def __init__(self, name):
        super().__init__(f"{name}@localhost/slixmpp", "secret")
        self.ca_certs = CERTIFICATE
        self.auto_authorize = True
        self.auto_subscribe = True
        self.seen = asyncio.Queue()
        self.passed = []
        for plugin in ("xep_0030", "xep_0199", "xep_0054", "xep_0092", "xep_0202", "xep_0203"):
            self.register_plugin(plugin)
        self.add_event_handler("message", lambda m: self.seen.put_nowait(("message", m["body"], m["delay"]["stamp"])))
        self.add_event_handler("got_online", lambda p: self.seen.put_nowait(("online", p["from"].bare, p["status"])))
        self.add_event_handler("got_offline", lambda p: self.seen.put_nowait(("offline", p["from"].bare, None)))
        self.add_event_handler("changed_status", lambda p: self.seen.put_nowait(("status", p["from"].bare, p["status"])))
        self.add_event_handler("failed_auth", lambda _: self.seen.put_nowait(("failed", None, None)))

    async def log_in(self):
        self.connect(("127.0.0.1", PORT))
        await asyncio.wait_for(self.wait_until("session_start"), PATIENCE)
        assert self.socket.version() in ("TLSv1.2", "TLSv1.3")
        await self.get_roster()
        self.send_presence()
        say(f"{self.boundjid.bare} logged in over {self.socket.version()}")

    async def log_out(self):
        await self.disconnect()
        say(f"{self.boundjid.bare} logged out")

    async def until(self, kind, what):
        """The first of this kind that was not asked for yet, come already or still to come."""
        for index, seen in enumerate(self.passed):
            if seen[:2] == (kind, what):
                return self.passed.pop(index)
        while True:
            seen = await asyncio.wait_for(self.seen.get(), PATIENCE)
            if seen[:2] == (kind, what):
                say(f"{self.boundjid.bare} saw {kind} {what}")
                return seen
            self.passed.append(seen)


def say(text):
    print(text, flush=True)


async def story():
    romeo, juliet = Client("romeo"), Client("juliet")
    await romeo.log_in()
    await juliet.log_in()

    romeo.send_presence_subscription("juliet@localhost")
    await romeo.until("online", "juliet@localhost")
    await juliet.until("online", "romeo@localhost")
    assert juliet.client_roster["romeo@localhost"]["subscription"] == "both"

    romeo.send_presence(pstatus="in the orchard")
    while (await juliet.until("status", "romeo@localhost"))[2] != "in the orchard":
        pass

    romeo.send_message("juliet@localhost", "Art thou not Romeo? é€😀", mtype="chat")
    await juliet.until("message", "Art thou not Romeo? é€😀")
    juliet.send_message("romeo@localhost/slixmpp", "Neither, fair saint", mtype="chat")
    await romeo.until("message", "Neither, fair saint")

    version = await romeo["xep_0092"].get_version("localhost")
    say(f"the server is {version['software_version']['name']}")
    info = await romeo["xep_0030"].get_info("localhost")
    assert "urn:xmpp:ping" in info["disco_info"]["features"]
    await romeo["xep_0199"].ping("localhost", timeout=PATIENCE)

    await juliet.log_out()
    await romeo.until("offline", "juliet@localhost")
    for number in range(3):
        romeo.send_message("juliet@localhost", f"offline {number}", mtype="chat")
    await romeo["xep_0199"].ping("localhost", timeout=PATIENCE)

    juliet = Client("juliet")
    await juliet.log_in()
    for number in range(3):
        _, _, stamp = await juliet.until("message", f"offline {number}")
        assert stamp, "an offline message says when it was sent"
    await juliet.until("online", "romeo@localhost")

    await romeo.log_out()
    await juliet.until("offline", "romeo@localhost")
    await juliet.log_out()
    say("done")


asyncio.get_event_loop().run_until_complete(story())
