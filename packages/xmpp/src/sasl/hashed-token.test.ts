import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SaslError } from '../sasl-error.ts';
import { tokenMac, tokenMechanisms } from './hashed-token.ts';
import type { SaslTokens } from './mechanism.ts';
import { startSasl } from './mechanisms.ts';
import { bindings, juliet, services } from './testing.ts';

const names = [...tokenMechanisms.keys()];

/** What is known of one token of Juliet's client. */
function tokens(secret = 'a token', mechanism?: string) {
  const used: string[] = [];
  const known: SaslTokens = {
    mechanisms: names,
    find: async (account, name) =>
      account.equals(juliet) && name === (mechanism ?? name)
        ? [
            { secret: 'an older one', use: async () => void used.push('older') },
            { secret, use: async () => void used.push('newest') },
          ]
        : [],
  };
  return { known, used };
}

const bindingOf = (name: string) => {
  const type = tokenMechanisms.get(name);
  return type === undefined ? Buffer.alloc(0) : bindings[type];
};
const message = (name: string, secret = 'a token', binding = bindingOf(name), username = 'juliet') =>
  Buffer.concat([Buffer.from(`${username}\0`), tokenMac(secret, 'Initiator', binding)]);
const attempt = async (name: string, data: Buffer, known = tokens().known, change = {}) =>
  startSasl(name, services({ tokens: known, ...change })).step(data);
const condition = (work: Promise<unknown>) =>
  work.then(
    () => 'success',
    (error: SaslError) => error.condition,
  );

test('the code is an HMAC over who speaks and what the channel is', () => {
  const expected = createHmac('sha256', 'a token').update('Initiatorchannel').digest();
  expect(tokenMac('a token', 'Initiator', Buffer.from('channel'))).toEqual(expected);
});

describe.each(names)('%s', (name) => {
  test('lets in whoever has the token, and shows that the server has it, too', async () => {
    const { known, used } = tokens();
    const step = await attempt(name, message(name), known);
    expect(step).toEqual({
      type: 'success',
      identity: juliet,
      data: tokenMac('a token', 'Responder', bindingOf(name)),
    });
    expect(used).toEqual(['newest']);
  });

  test('takes the older one as well', async () => {
    const { known, used } = tokens();
    await attempt(name, message(name, 'an older one'), known);
    expect(used).toEqual(['older']);
  });

  test.each([
    ['another token', message(name, 'another'), 'not-authorized'],
    ['another channel', message(name, 'a token', Buffer.from('that of somebody in between')), 'not-authorized'],
    [
      'what the server says',
      Buffer.from(`juliet\0${tokenMac('a token', 'Responder', bindingOf(name)).toString('latin1')}`, 'latin1'),
      'not-authorized',
    ],
    ['nobody', message(name, 'a token', bindingOf(name), 'rosaline'), 'not-authorized'],
    ['no name', message(name, 'a token', bindingOf(name), ''), 'malformed-request'],
    ['a name that is none', message(name, 'a token', bindingOf(name), 'a b'), 'not-authorized'],
    ['a proof cut short', message(name).subarray(0, -1), 'malformed-request'],
    ['nothing', Buffer.alloc(0), 'malformed-request'],
  ])('lets in nobody with %s', async (_, data, expected) => {
    const { known, used } = tokens();
    expect(await condition(attempt(name, data, known))).toBe(expected);
    expect(used).toEqual([]);
  });

  test('lets in nobody with a token that was given for another mechanism', async () => {
    const other = names.find((each) => each !== name) as string;
    expect(await condition(attempt(name, message(name), tokens('a token', other).known))).toBe('not-authorized');
  });

  test('lets in nobody whose token is refused as it is used', async () => {
    const use = () => Promise.reject(new SaslError('credentials-expired'));
    const known = { mechanisms: names, find: async () => [{ secret: 'a token', use }] };
    expect(await condition(attempt(name, message(name), known))).toBe('credentials-expired');
  });

  test('is not there for those who have not said that they show a token, or where it is not offered', async () => {
    expect(() => startSasl(name, services())).toThrow(SaslError);
    expect(() => startSasl(name, services({ tokens: { ...tokens().known, mechanisms: [] } }))).toThrow(SaslError);
  });
});

test('a channel that cannot be bound to binds nobody', async () => {
  const change = { channelBinding: () => undefined };
  expect(await condition(attempt('HT-SHA-256-EXPR', message('HT-SHA-256-EXPR'), tokens().known, change))).toBe(
    'mechanism-too-weak',
  );
});
