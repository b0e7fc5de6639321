// An @xmpp/client client loses its connection again and again, resumes its session, and both sides get everything once.
//
//     NODE_EXTRA_CA_CERTS=CERTIFICATE node xmpp-client-resumption.mjs PORT PROXY
//
// Romeo connects to PORT, Juliet to PROXY; accounts romeo@localhost and juliet@localhost with the password "secret".
// Prints "lose" and "cut" and waits for a line of input after each; exits with 0 only where all came.
import { createInterface } from 'node:readline';
import { client, xml } from '@xmpp/client';
import { withPromptWrites } from './prompt-writes.mjs';

const [port, proxy] = process.argv.slice(2);
const PATIENCE = 60_000;
const ROUNDS = 3;
const input = createInterface({ input: process.stdin });

class Person {
  constructor(username, at) {
    this.username = username;
    this.xmpp = withPromptWrites(
      client({
        service: `xmpp://localhost:${at}`,
        domain: 'localhost',
        resource: 'xmppjs',
        username,
        password: 'secret',
        timeout: PATIENCE,
      }),
    );
    this.xmpp.reconnect.delay = 10;
    this.heard = [];
    this.absences = 0;
    this.requests = 0;
    this.answered = undefined;
    this.waiting = () => {};
    this.resumptions = 0;
    this.xmpp.on('error', () => {}); // a connection that is lost
    this.xmpp.streamManagement.on('fail', (stanza) => fail(`${username} could not send ${stanza}`));
    this.xmpp.streamManagement.on('ack', () => this.waiting());
    this.xmpp.streamManagement.on('resumed', () => {
      this.resumptions++;
      this.waiting();
    });
    this.xmpp.on('stanza', (stanza) => {
      if (stanza.is('presence') && stanza.attrs.type === 'unavailable') this.absences++;
      const body = stanza.is('message') && stanza.getChildText('body');
      if (body) this.heard.push(body);
      if (stanza.is('iq') && stanza.attrs.type === 'result') this.answered = stanza.attrs.id;
      this.waiting();
    });
  }

  async logIn() {
    await this.xmpp.start();
    await this.request(xml('query', 'jabber:iq:roster'));
    await this.xmpp.send(xml('presence'));
    await this.ping();
    if (!this.xmpp.streamManagement.id) fail(`the session of ${this.username} cannot be resumed`);
  }

  /** Without the library's own way for requests: the answers to those are not counted (as of version 0.14). */
  async request(payload, to) {
    const id = String(++this.requests);
    this.xmpp.send(xml('iq', { type: 'get', id, to }, payload)).catch(() => {});
    await this.until(`an answer to ${payload}`, () => this.answered === id);
  }

  ping() {
    return this.request(xml('ping', 'urn:xmpp:ping'), 'localhost');
  }

  /** What cannot be sent now is sent when the session is resumed. */
  say(to, body) {
    this.xmpp
      .send(xml('message', { to: `${to.username}@localhost`, type: 'chat' }, xml('body', {}, body)))
      .catch(() => {});
  }

  async until(what, done) {
    const timer = setTimeout(() => fail(`${this.username} waited for ${what}; heard: ${this.heard}`), PATIENCE);
    while (!done()) {
      await new Promise((resolve) => {
        this.waiting = resolve;
      });
    }
    clearTimeout(timer);
  }

  async hear(...expected) {
    await this.until(expected, () => this.heard.length >= expected.length);
    const heard = this.heard.splice(0, expected.length);
    if (String(heard) !== String(expected)) fail(`${this.username} heard ${heard} instead of ${expected}`);
  }
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

function ask(what) {
  console.log(what);
  return new Promise((resolve) => input.once('line', resolve));
}

const romeo = new Person('romeo', port);
const juliet = new Person('juliet', proxy);
await romeo.logIn();
await juliet.logIn();
for (const [one, other] of [
  [romeo, 'juliet@localhost'],
  [juliet, 'romeo@localhost'],
]) {
  await one.xmpp.send(xml('presence', { to: other, type: 'subscribed' }));
  await one.xmpp.send(xml('presence', { to: other, type: 'subscribe' }));
}
await romeo.ping();
await juliet.ping();

const numbers = [0, 1, 2, 3, 4, 5, 6];
for (let round = 0; round < ROUNDS; round++) {
  romeo.say(juliet, `heard ${round}`);
  await juliet.hear(`heard ${round}`);

  await ask('lose'); // nothing arrives any more, on either side
  for (const number of numbers) {
    romeo.say(juliet, `lost ${round} ${number}`);
    juliet.say(romeo, `said ${round} ${number}`);
  }
  await romeo.ping();
  await ask('cut');
  await juliet.until('her session', () => juliet.resumptions > round);
  await juliet.hear(...numbers.map((number) => `lost ${round} ${number}`));
  await romeo.hear(...numbers.map((number) => `said ${round} ${number}`));
  await juliet.ping();
}
await romeo.ping();
if (juliet.heard.length + romeo.heard.length > 0) fail('something came twice');
if (romeo.absences > 0) fail('somebody saw that she was away');
for (const person of [juliet, romeo]) {
  await person.until('acknowledgements', () => person.xmpp.streamManagement.outbound_q.length === 0);
}
await juliet.xmpp.stop();
await romeo.xmpp.stop();
input.close();
console.log('done');
