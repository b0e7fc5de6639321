// Two @xmpp/client clients become contacts, see each other and chat, offline messages included.
//
//     NODE_EXTRA_CA_CERTS=CERTIFICATE node xmpp-client-chat.mjs SERVICE     (xmpp://localhost:PORT or xmpps://…)
//
// Accounts romeo@localhost and juliet@localhost with the password "secret". Exits with 0 only where all of it came.
import { client, xml } from '@xmpp/client';
import { withPromptWrites } from './prompt-writes.mjs';

const [service] = process.argv.slice(2);
const PATIENCE = 60_000;

async function logIn(username) {
  const xmpp = withPromptWrites(
    client({ service, domain: 'localhost', resource: 'xmppjs', username, password: 'secret', timeout: PATIENCE }),
  );
  const inbox = [];
  const waiters = [];
  xmpp.on('error', (error) => fail(`${username}: ${error}`));
  xmpp.on('stanza', (stanza) => {
    const index = waiters.findIndex(({ matches }) => matches(stanza));
    if (index === -1) inbox.push(stanza);
    else waiters.splice(index, 1)[0].resolve(stanza);
  });
  const until = (what, matches) => {
    const index = inbox.findIndex(matches);
    if (index !== -1) return Promise.resolve(inbox.splice(index, 1)[0]);
    return new Promise((resolve) => {
      const timer = setTimeout(() => fail(`${username} waited for ${what}; came: ${inbox.join('\n')}`), PATIENCE);
      waiters.push({
        matches,
        resolve: (stanza) => {
          clearTimeout(timer);
          console.log(`${username} saw ${what}`);
          resolve(stanza);
        },
      });
    });
  };
  await xmpp.start().catch((error) => fail(`${username}: ${error}`));
  await xmpp.iqCaller.get(xml('query', 'jabber:iq:roster'));
  await xmpp.send(xml('presence'));
  const message = (text) =>
    until(`"${text}"`, (stanza) => stanza.is('message') && stanza.getChildText('body') === text);
  const presence = (from, type) =>
    until(`${type ?? 'available'} of ${from}`, (stanza) => {
      return stanza.is('presence') && stanza.attrs.type === type && stanza.attrs.from.startsWith(from);
    });
  return { xmpp, message, presence };
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

const say = (to, text) => xml('message', { to, type: 'chat' }, xml('body', {}, text));

const romeo = await logIn('romeo');
let juliet = await logIn('juliet');

await romeo.xmpp.send(xml('presence', { to: 'juliet@localhost', type: 'subscribe' }));
await juliet.presence('romeo@localhost', 'subscribe');
await juliet.xmpp.send(xml('presence', { to: 'romeo@localhost', type: 'subscribed' }));
await juliet.xmpp.send(xml('presence', { to: 'romeo@localhost', type: 'subscribe' }));
await romeo.presence('juliet@localhost', 'subscribe');
await romeo.xmpp.send(xml('presence', { to: 'juliet@localhost', type: 'subscribed' }));
await romeo.presence('juliet@localhost/xmppjs', undefined);
await juliet.presence('romeo@localhost/xmppjs', undefined);

await romeo.xmpp.send(say('juliet@localhost', 'Art thou not Romeo? é€😀'));
await juliet.message('Art thou not Romeo? é€😀');
await juliet.xmpp.send(say('romeo@localhost/xmppjs', 'Neither, fair saint'));
await romeo.message('Neither, fair saint');

await juliet.xmpp.stop();
await romeo.presence('juliet@localhost/xmppjs', 'unavailable');
await romeo.xmpp.send(say('juliet@localhost', 'offline'));
await romeo.xmpp.iqCaller.get(xml('ping', 'urn:xmpp:ping'), 'localhost');

juliet = await logIn('juliet');
const stored = await juliet.message('offline');
if (stored.getChild('delay', 'urn:xmpp:delay') === undefined) fail('an offline message says when it was sent');
await juliet.presence('romeo@localhost/xmppjs', undefined);

await romeo.xmpp.stop();
await juliet.xmpp.stop();
console.log('done');
