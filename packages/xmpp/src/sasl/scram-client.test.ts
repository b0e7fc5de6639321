import { expect, test } from 'vitest';
import { ScramExchange } from './scram.ts';
import { ScramClient } from './scram-client.ts';
import { scramHashes } from './scram-verifier.ts';
import { password, services } from './testing.ts';

const CHALLENGE = (client: ScramClient, more = 'more', iterations = 4096) =>
  `r=${client.first.slice(client.first.indexOf('r=') + 2)}${more},s=c2FsdHNhbHQ=,i=${iterations}`;

test.each(scramHashes)('SCRAM-%s: logs in to the server, and knows that it is the one', async (hash) => {
  const client = new ScramClient(hash, 'juliet', password);
  const server = new ScramExchange(services(), { hash, plus: false });
  const challenge = await server.step(Buffer.from(client.first));
  const end = await server.step(Buffer.from(await client.final(String(challenge.data))));
  expect(end).toMatchObject({ type: 'success' });
  client.verify(String(end.data));
});

test('a wrong password is refused', async () => {
  const client = new ScramClient('SHA-256', 'juliet', 'wrong');
  const server = new ScramExchange(services(), { hash: 'SHA-256', plus: false });
  const challenge = await server.step(Buffer.from(client.first));
  const proof = await client.final(String(challenge.data));
  await expect((async () => server.step(Buffer.from(proof)))()).rejects.toMatchObject({ condition: 'not-authorized' });
});

test('a name with commas is written as RFC 5802 has it', () => {
  expect(new ScramClient('SHA-1', 'a,b=c', 'x').first).toMatch(/^n,,n=a=2Cb=3Dc,r=[A-Za-z0-9+/]{24}$/);
});

test.each([
  ['is no challenge', (_: ScramClient) => 'e=other-error', /no challenge/],
  ['has a nonce of somebody else', (_: ScramClient) => 'r=other,s=c2FsdA==,i=4096', /not chosen a nonce/],
  ['has no nonce of its own', (client: ScramClient) => CHALLENGE(client, ''), /not chosen a nonce/],
  ['has few iterations', (client: ScramClient) => CHALLENGE(client, 'x', 1), /wants 1 iterations/],
  ['has very many', (client: ScramClient) => CHALLENGE(client, 'x', 999_999_999), /wants 999999999 iterations/],
])('a challenge that %s is not answered', async (_, challenge, message) => {
  const client = new ScramClient('SHA-256', 'juliet', password);
  await expect(client.final(challenge(client))).rejects.toThrow(message);
});

test('a server that proves nothing is not believed', async () => {
  const client = new ScramClient('SHA-256', 'juliet', password);
  expect(() => client.verify('v=')).toThrow(/has not proved/);
  await client.final(CHALLENGE(client));
  expect(() => client.verify(`v=${'A'.repeat(43)}=`)).toThrow(/has not proved/);
  expect(() => client.verify('e=invalid-proof')).toThrow(/has not proved/);
});
