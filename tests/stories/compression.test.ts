import { expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { CompressedWire } from '../support/compressed-wire.ts';
import { features, plain } from '../support/login.ts';
import { startServer } from '../support/server.ts';
import { socketWire } from '../support/wires.ts';

const COMPRESS = 'http://jabber.org/protocol/compress';

test('encrypted, authenticated, compressed, bound: two clients chat', async () => {
  const server = await startServer({
    config: {
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [] },
      modules: { compression: { enabled: true } },
    },
  });
  await server.account('juliet@localhost');
  const socket = await socketWire(server.port('c2s'));
  const wire = new CompressedWire(socket);
  const juliet = new TestClient(wire);
  juliet.open('localhost');
  await features(juliet);
  juliet.send(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
  expect((await juliet.next()).name).toBe('proceed');
  await socket.upgrade('localhost');
  juliet.open('localhost');
  await features(juliet);
  expect((await plain(juliet, 'juliet', 'secret')).name).toBe('success');
  await features(juliet);
  juliet.send(`<compress xmlns='${COMPRESS}'><method>zlib</method></compress>`);
  expect((await juliet.take(({ ns }) => ns === COMPRESS)).name).toBe('compressed');
  wire.start();
  juliet.open('localhost');
  await features(juliet);
  const bound = await juliet.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`);
  juliet.jid = bound.firstChild?.childText('jid') ?? '';

  const romeo = await server.client('romeo@localhost/orchard');
  const body = 'It is the east, and Juliet is the sun. '.repeat(1000);
  romeo.send(`<message to='${juliet.jid}' id='r'><body>${body}</body></message>`);
  expect((await juliet.nextMessage()).childText('body')).toBe(body);
  juliet.send(`<message to='romeo@localhost/orchard' id='j'><body>${body}</body></message>`);
  expect((await romeo.nextMessage()).childText('body')).toBe(body);
  await juliet.close();
});
