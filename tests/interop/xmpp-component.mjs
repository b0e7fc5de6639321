// A component written with @xmpp/component. It says again what it is told, answers who it is, and lets everybody see it.
//
//     node xmpp-component.mjs PORT DOMAIN SECRET NAME
//
// Says "online" once it is connected, and runs until it is stopped.
import { component, xml } from '@xmpp/component';
import { withPromptWrites } from './prompt-writes.mjs';

const [port, domain, password, name] = process.argv.slice(2);
const xmpp = withPromptWrites(component({ service: `xmpp://127.0.0.1:${port}`, domain, password, timeout: 30_000 }));
xmpp.reconnect.delay = 100;

xmpp.on('error', (error) => console.log(`error ${error.message}`));
xmpp.on('online', () => console.log('online'));
xmpp.on('stanza', async (stanza) => {
  const { from, to, type, id } = stanza.attrs;
  if (type === 'error') return;
  const body = stanza.getChildText('body');
  if (stanza.is('message') && body !== null) {
    await xmpp.send(xml('message', { from: to, to: from, type, id }, xml('body', {}, `${name}: ${body}`)));
  } else if (stanza.is('presence') && type === 'subscribe') {
    await xmpp.send(xml('presence', { from: to, to: from, type: 'subscribed' }));
    await xmpp.send(xml('presence', { from: `${to}/echo`, to: from }, xml('status', {}, 'Here')));
  }
});
xmpp.iqCallee.get('jabber:iq:version', 'query', () => xml('query', 'jabber:iq:version', xml('name', {}, name)));

xmpp.start().catch((error) => console.log(`not started: ${error.message}`));
