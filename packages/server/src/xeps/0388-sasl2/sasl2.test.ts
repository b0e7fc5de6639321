import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { features, mechanismsOf } from '../../../../../tests/support/login.ts';
import { offerOf } from '../../../../../tests/support/sasl2.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import sasl2 from './sasl2.ts';

const offered = async (modules: readonly (typeof sasl2)[], tls = true) => {
  const server = await startServer({ modules, config: { tls: { required: false } } });
  const client = server.connect((transport) => {
    if (!tls) transport.tls = undefined;
  });
  client.open('localhost');
  return client;
};

test('what RFC 6120 offers is offered beside it, the same mechanisms', async () => {
  const offer = await offerOf(await offered([sasl2]));
  const names = offer.elements.filter(({ name }) => name === 'mechanism').map(({ text }) => text);
  expect(names).toEqual(mechanismsOf(await features(await offered([sasl2]))));
  expect(names).toContain('SCRAM-SHA-256');
});

test('it is not there without TLS, nor where it is switched off', async () => {
  for (const client of [await offered([sasl2], false), await offered([])]) {
    const offer = await features(client);
    expect(mechanismsOf(offer)).toContain('SCRAM-SHA-256');
    expect(offer.child('authentication', NS.sasl2)).toBeUndefined();
  }
});
