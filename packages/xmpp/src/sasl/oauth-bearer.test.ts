import { expect, test, vi } from 'vitest';
import { Jid } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';
import { claimedAccount } from './claimed-account.ts';
import type { BearerTokens, SaslServices } from './mechanism.ts';
import { startSasl } from './mechanisms.ts';
import { MOST_BEARER_BYTES, parseBearerMessage } from './oauth-bearer.ts';

const message = (header: string, ...pairs: string[]) =>
  Buffer.from(`${header}\x01${pairs.map((pair) => `${pair}\x01`).join('')}\x01`);

test('the message of RFC 7628 §4.1 is understood', () => {
  const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
  const said = message('n,a=user@example.com,', 'host=server.example.com', 'port=143', `auth=Bearer ${token}`);
  expect(parseBearerMessage(said)).toEqual({ authzid: 'user@example.com', token });
});

test.each([
  ['n,,', '', 'auth=Bearer ', ''],
  ['n,,', '', 'auth=Bearer', ''],
  ['y,,', '', 'auth=bearer a.b-c', 'a.b-c'],
  ['n,a=a=2Cb=3Dc@d,', 'a,b=c@d', 'auth=BEARER  x ', 'x'],
])('%s with %j', (header, authzid, auth, token) => {
  expect(parseBearerMessage(message(header, auth))).toEqual({ authzid, token });
});

test.each<[string, Buffer]>([
  ['nothing', Buffer.alloc(0)],
  ['the answer to an error, which did not come', Buffer.from('\x01')],
  ['no header', message('', 'auth=Bearer x')],
  ['half a header', message('n,', 'auth=Bearer x')],
  ['a false escape', message('n,a=b=40c,', 'auth=Bearer x')],
  ['a non-standard header', message('F,n,,', 'auth=Bearer x')],
  ['no token', message('n,,', 'host=localhost')],
  ['no pair at all', message('n,,')],
  ['another scheme', message('n,,', 'auth=Basic x')],
  ['a token with what none has', message('n,,', 'auth=Bearer a b')],
  ['a key that is none', message('n,,', 'auth=Bearer x', '=y')],
  ['a NUL', message('n,,', 'auth=Bearer x', 'host=a\0b')],
  ['a key twice', message('n,,', 'auth=Bearer x', 'auth=Bearer y')],
  ['no end', Buffer.from('n,,\x01auth=Bearer x\x01')],
  ['something behind the end', Buffer.from('n,,\x01auth=Bearer x\x01\x01z')],
  ['too many pairs', message('n,,', 'auth=Bearer x', ...Array.from({ length: 40 }, (_, i) => `k${'x'.repeat(i)}=1`))],
  ['a token of an end alone', message('n,,', 'auth=Bearer ==')],
  ['no UTF-8', Buffer.concat([message('n,,', 'auth=Bearer x'), Buffer.from([0xff])])],
])('%s is malformed', (_, data) => {
  expect(() => parseBearerMessage(data)).toThrow(expect.objectContaining({ condition: 'malformed-request' }));
});

test('a channel binding is not taken for checked', () => {
  const bound = message('p=tls-exporter,,', 'auth=Bearer x');
  expect(() => parseBearerMessage(bound)).toThrow(expect.objectContaining({ condition: 'mechanism-too-weak' }));
});

test('white space without end takes no time', () => {
  const long = message('n,,', `auth=Bearer${' '.repeat(200_000)}!`);
  const since = process.threadCpuUsage(); // whatever else the machine has to do
  expect(() => parseBearerMessage(long)).toThrow(expect.objectContaining({ condition: 'malformed-request' }));
  expect(process.threadCpuUsage(since).user).toBeLessThan(8_000_000); // read in several ways it would be ten seconds and more
});

const juliet = Jid.parse('juliet@example.com');

function exchange(bearer: Partial<BearerTokens> | undefined) {
  const all = { scope: 'xmpp:client:normal', discovery: 'https://id.example/.well-known', ...bearer };
  const services = { offeredMechanisms: ['OAUTHBEARER'], domain: 'example.com', bearer: bearer && all };
  return startSasl('OAUTHBEARER', services as unknown as SaslServices);
}

const conditionOf = async (step: () => unknown) => {
  try {
    return await step();
  } catch (error) {
    if (error instanceof SaslError) return error.condition;
    throw error;
  }
};

test('a good token tells who it is', async () => {
  const check = vi.fn(async () => ({ accepted: true, account: juliet }) as const);
  const step = await exchange({ check }).step(message('n,a=juliet@example.com,', 'auth=Bearer good'));
  expect(step).toEqual({ type: 'success', identity: juliet });
  expect(check).toHaveBeenCalledExactlyOnceWith('good', juliet);
});

test('nobody acts for somebody else', async () => {
  const check = async () => ({ accepted: true, account: juliet }) as const;
  const said = message('n,a=romeo@example.com,', 'auth=Bearer good');
  expect(await conditionOf(() => exchange({ check }).step(said))).toBe('invalid-authzid');
});

test.each(['\x01', '', 'n,,\x01auth=Bearer good\x01\x01'])(
  'a refusal is told, and then it is over: %j',
  async (answer) => {
    const attempt = exchange({ check: async () => ({ accepted: false, status: 'insufficient_scope' }) });
    const step = await attempt.step(message('n,,', 'auth=Bearer bad'));
    expect(step.type).toBe('challenge');
    expect(JSON.parse(String(step.data))).toEqual({
      status: 'insufficient_scope',
      scope: 'xmpp:client:normal',
      'openid-configuration': 'https://id.example/.well-known',
    });
    expect(await conditionOf(() => attempt.step(Buffer.from(answer)))).toBe('not-authorized');
    expect(await conditionOf(() => attempt.step(Buffer.from('\x01')))).toBe('malformed-request');
  },
);

test('no scope is told where none is wanted', async () => {
  const step = await exchange({ scope: '', check: async () => ({ accepted: false, status: 'invalid_token' }) }).step(
    message('n,,', 'auth=Bearer '),
  );
  expect(Object.keys(JSON.parse(String(step.data)))).toEqual(['status', 'openid-configuration']);
});

test('a token may be longer than a password, and not without end', async () => {
  const check = vi.fn(async () => ({ accepted: true, account: juliet }) as const);
  await exchange({ check }).step(message('n,,', `auth=Bearer ${'x'.repeat(8000)}`));
  const huge = message('n,,', `auth=Bearer ${'x'.repeat(MOST_BEARER_BYTES)}`);
  expect(await conditionOf(() => exchange({ check }).step(huge))).toBe('malformed-request');
  expect(check).toHaveBeenCalledOnce();
});

test('nothing is taken where nobody checks it', async () => {
  expect(await conditionOf(() => exchange(undefined).step(message('n,,', 'auth=Bearer x')))).toBe(
    'temporary-auth-failure',
  );
});

test('whom a client claims to be is read from the header', () => {
  const text = message('n,a=juliet@example.com,', 'auth=Bearer x').toString('base64');
  expect(claimedAccount('OAUTHBEARER', text, 'example.com')).toEqual(juliet);
  expect(claimedAccount('OAUTHBEARER', text, 'example.org')).toBeUndefined();
  expect(claimedAccount('OAUTHBEARER', 'bg==', 'example.com')).toBeUndefined();
});
