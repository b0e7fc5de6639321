import { expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { features, outcomeOf } from '../support/login.ts';
import { startServer } from '../support/server.ts';
import { socketWire } from '../support/wires.ts';

const STREAM = `<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'`;
const query = (content: string) => `<query xmlns='jabber:iq:auth'>${content}</query>`;
const credentials = query('<username>bill</username><password>secret</password><resource>globe</resource>');

test('a client from before SASL logs in over TLS, and chats', async () => {
  const server = await startServer({
    config: {
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [{ host: '127.0.0.1', port: 0 }], http: [] },
      authentication: { legacy: true },
    },
  });
  await server.account('bill@localhost');

  // without TLS there is no such thing
  const open = new TestClient(await socketWire(server.port('c2s')));
  open.send(`${STREAM} version='1.0'>`);
  await features(open);
  expect(outcomeOf(await open.request('set', credentials))).toBe('service-unavailable');

  // TLS from the first byte, as such clients do it
  const wire = await socketWire(server.port('c2sTls'));
  await wire.upgrade('localhost');
  const bill = new TestClient(wire);
  bill.send(`${STREAM}>`);
  expect(outcomeOf(await bill.request('get', query('<username>bill</username>')))).toBe('result');
  expect(outcomeOf(await bill.request('set', credentials))).toBe('result');
  bill.jid = 'bill@localhost/globe';

  const juliet = await server.client('juliet@localhost/balcony');
  bill.send(`<message to='juliet@localhost/balcony' id='b'/>`);
  expect((await juliet.nextMessage()).attr('from')).toBe('bill@localhost/globe');
  juliet.send(`<message to='bill@localhost/globe' id='j'/>`);
  expect((await bill.nextMessage()).attr('id')).toBe('j');
  await bill.close();
});
