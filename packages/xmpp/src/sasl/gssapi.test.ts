import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SaslError } from '../sasl-error.ts';
import type { GssContext, GssPeers } from './mechanism.ts';
import { startSasl } from './mechanisms.ts';
import { juliet, services } from './testing.ts';

const peers: GssPeers = { initiator: 'juliet@EXAMPLE.COM', target: 'xmpp/example.com@EXAMPLE.COM', mutual: true };
const none = Buffer.alloc(0);
const LAYERS = Buffer.from([1, 0, 0, 0]);

/** A context that wraps by a word in front, established with the last of so many tokens. */
class FakeContext implements GssContext {
  ended = 0;
  #left: number;
  readonly #last: string;

  constructor(tokens: number, last: string) {
    this.#left = tokens;
    this.#last = last;
  }

  async accept(token: Buffer) {
    if (!token.toString().startsWith('token')) throw new SaslError('not-authorized');
    this.#left -= 1;
    return this.#left === 0 ? { token: Buffer.from(this.#last), peers } : { token: Buffer.from('more') };
  }

  async wrap(data: Buffer) {
    return Buffer.concat([Buffer.from('wrapped '), data]);
  }

  async unwrap(data: Buffer) {
    if (data.subarray(0, 8).toString() !== 'wrapped ') throw new SaslError('not-authorized');
    return data.subarray(8);
  }

  end() {
    this.ended += 1;
  }
}

function exchange({ tokens = 1, last = 'reply' } = {}) {
  const context = new FakeContext(tokens, last);
  const kerberos = { begin: () => context, account: () => juliet };
  return { context, sasl: startSasl('GSSAPI', services({ offeredMechanisms: ['GSSAPI'], kerberos })) };
}

const chosen = (authzid = '', layer = LAYERS) => Buffer.concat([Buffer.from('wrapped '), layer, Buffer.from(authzid)]);

describe('GSSAPI (RFC 4752)', () => {
  test('takes a token, tells its own, offers no layer, and hears who it is', async () => {
    const { sasl, context } = exchange();
    expect(await sasl.step(Buffer.from('token'))).toEqual({ type: 'challenge', data: Buffer.from('reply') });
    expect(await sasl.step(none)).toEqual({ type: 'challenge', data: chosen() });
    expect(context.ended).toBe(0);
    expect(await sasl.step(chosen('juliet@example.com'))).toEqual({ type: 'success', identity: juliet });
    expect(context.ended).toBe(1);
  });

  test('offers the layers at once where the server has nothing more to say for the context', async () => {
    const { sasl } = exchange({ last: '' });
    expect(await sasl.step(Buffer.from('token'))).toEqual({ type: 'challenge', data: chosen() });
  });

  test('takes several tokens, and not without end', async () => {
    const { sasl } = exchange({ tokens: 3 });
    for (const data of ['more', 'more', 'reply']) {
      expect(await sasl.step(Buffer.from('token'))).toEqual({ type: 'challenge', data: Buffer.from(data) });
    }
    const endless = exchange({ tokens: 4 });
    for (let each = 0; each < 3; each++) await endless.sasl.step(Buffer.from('token'));
    await expect(endless.sasl.step(Buffer.from('token'))).rejects.toMatchObject({ condition: 'malformed-request' });
    expect(endless.context.ended).toBe(1);
  });

  test.each(['', 'juliet', 'juliet@example.com', 'Juliet@EXAMPLE.com'])('takes %j as her own name', async (name) => {
    const { sasl } = exchange({ last: '' });
    await sasl.step(Buffer.from('token'));
    expect((await sasl.step(chosen(name))).type).toBe('success');
  });

  test.each<[string, Buffer, string]>([
    ['the name of somebody else', chosen('romeo@example.com'), 'invalid-authzid'],
    ['the name of somebody else there', chosen('juliet@example.org'), 'invalid-authzid'],
    ['her name in other letters, where it is no address', chosen('JULIET'), 'invalid-authzid'],
    ['her name with something behind', chosen('juliet@example.com\0'), 'invalid-authzid'],
    ['a full address', chosen('juliet@example.com/balcony'), 'invalid-authzid'],
    ['what is not UTF-8', Buffer.concat([chosen(), Buffer.from([0xff])]), 'malformed-request'],
    ['a layer that signs', chosen('', Buffer.from([2, 0, 0, 0])), 'malformed-request'],
    ['no choice of layer', chosen('', Buffer.from([0, 0, 0, 0])), 'malformed-request'],
    ['a choice that is cut off', chosen('', Buffer.from([1, 0, 0])), 'malformed-request'],
    ['what is not wrapped', LAYERS, 'not-authorized'],
  ])('does not take %s', async (_, message, condition) => {
    const { sasl, context } = exchange({ last: '' });
    await sasl.step(Buffer.from('token'));
    await expect(sasl.step(message)).rejects.toMatchObject({ condition });
    expect(context.ended).toBe(1);
  });

  test('lets nobody in whose principal has no account, and tells nothing of the context', async () => {
    const { context } = exchange();
    const refuse = () => {
      throw new SaslError('not-authorized');
    };
    const kerberos = { begin: () => context, account: refuse };
    const sasl = startSasl('GSSAPI', services({ offeredMechanisms: ['GSSAPI'], kerberos }));
    await expect(sasl.step(Buffer.from('token'))).rejects.toMatchObject({ condition: 'not-authorized' });
    expect(context.ended).toBe(1);
  });

  test('lets nobody in where no tickets are accepted', async () => {
    const sasl = startSasl('GSSAPI', services({ offeredMechanisms: ['GSSAPI'] }));
    await expect(sasl.step(Buffer.from('token'))).rejects.toMatchObject({ condition: 'temporary-auth-failure' });
  });

  test('no other sequence of messages gets in', async () => {
    const message = fc.constantFrom('token', '', 'wrapped \u0001\0\0\0', 'wrapped \u0001\0\0\0romeo', 'anything');
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
        const { sasl } = exchange();
        let inside = false;
        for (const each of messages) {
          const step = await Promise.resolve()
            .then(() => sasl.step(Buffer.from(each, 'latin1')))
            .catch((error: unknown) => error);
          if (step instanceof SaslError) break;
          inside ||= (step as { type: string }).type === 'success';
        }
        const right = messages.slice(0, 3).join('|') === 'token||wrapped \u0001\0\0\0';
        expect(inside).toBe(right);
      }),
      { numRuns: 300 },
    );
  });
});
