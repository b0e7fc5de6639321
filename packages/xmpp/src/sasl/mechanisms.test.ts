import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Jid } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';
import type { SaslExchange, SaslStep } from './mechanism.ts';
import { decodeSaslData, encodeSaslData, saslMechanisms, startSasl } from './mechanisms.ts';
import type { ScramHash } from './scram-verifier.ts';
import { bindings, clientFinal, password, services } from './testing.ts';

describe('startSasl', () => {
  test('knows what is offered and nothing else', () => {
    expect(() => startSasl('PLAIN', services({ offeredMechanisms: ['SCRAM-SHA-1'] }))).toThrow(
      expect.objectContaining({ condition: 'invalid-mechanism' }),
    );
    expect(() => startSasl('TOKEN', services({ offeredMechanisms: ['TOKEN'] }))).toThrow(
      expect.objectContaining({ condition: 'invalid-mechanism' }),
    );
    for (const { name } of saslMechanisms) expect(startSasl(name, services())).toBeDefined();
  });

  test('prefers channel binding to none, strong hashes to weak ones, and anything to the password itself', () => {
    expect(saslMechanisms.map(({ name }) => name)).toEqual([
      'EXTERNAL',
      'SCRAM-SHA-512-PLUS',
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA-1-PLUS',
      'GSSAPI',
      'SCRAM-SHA-512',
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      'OAUTHBEARER',
      'PLAIN',
      'ANONYMOUS',
    ]);
    expect(saslMechanisms.filter(({ needsTls }) => needsTls).map(({ name }) => name)).toContain('PLAIN');
  });
});

describe('what goes for every mechanism', () => {
  const speaking = saslMechanisms.map(({ name }) => name).filter((name) => name !== 'ANONYMOUS');
  test.each(speaking)('%s asks a silent client to begin, once', async (name) => {
    const exchange = startSasl(name, services({ externalIdentities: () => [Jid.parse('juliet@example.com')] }));
    expect(exchange.step(undefined)).toEqual({ type: 'challenge', data: Buffer.alloc(0) });
    const second = Promise.resolve().then(() => exchange.step(undefined));
    if (name === 'EXTERNAL') expect((await second).type).toBe('success');
    else await expect(second).rejects.toMatchObject({ condition: 'malformed-request' });
  });

  test('ANONYMOUS takes a silent client as it is, once', async () => {
    const exchange = startSasl('ANONYMOUS', services());
    expect((await exchange.step(undefined)).type).toBe('success');
    expect(() => exchange.step(undefined)).toThrow(SaslError);
  });

  test('nothing is taken after a success', async () => {
    const exchange = startSasl('PLAIN', services());
    const message = Buffer.from(`\0juliet\0${password}`);
    expect((await exchange.step(message)).type).toBe('success');
    expect(() => exchange.step(message)).toThrow(SaslError);
  });

  test('nothing is taken after a failure', async () => {
    const exchange = startSasl('PLAIN', services());
    await expect(exchange.step(Buffer.from('\0juliet\0wrong'))).rejects.toThrow(SaslError);
    expect(() => exchange.step(Buffer.from(`\0juliet\0${password}`))).toThrow(SaslError);
  });

  test('a second message before the answer to the first ends the attempt', async () => {
    const exchange = startSasl('PLAIN', services());
    const first = exchange.step(Buffer.from(`\0juliet\0${password}`));
    expect(() => exchange.step(Buffer.from(`\0juliet\0${password}`))).toThrow(SaslError);
    await expect(first).rejects.toThrow(SaslError);
  });

  test('a long message is refused', () => {
    const exchange = startSasl('ANONYMOUS', services());
    expect(() => exchange.step(Buffer.alloc(4097, 'a'))).toThrow(
      expect.objectContaining({ condition: 'malformed-request' }),
    );
  });
});

describe('text on the wire', () => {
  test.each([
    ['', undefined],
    ['=', ''],
    ['biws', 'n,,'],
  ])('%j', (text, bytes) => {
    expect(decodeSaslData(text)?.toString()).toBe(bytes);
    expect(encodeSaslData(bytes === undefined ? undefined : Buffer.from(bytes))).toBe(text);
  });

  test.each(['b', 'biws=', ' biws', 'bi-s', '==', '\u00e9'])('%j is wrongly encoded', (text) => {
    expect(() => decodeSaslData(text)).toThrow(expect.objectContaining({ condition: 'incorrect-encoding' }));
  });
});

/** One thing that a client may send; the last three are made from what the server said. */
type Move =
  | { kind: 'nothing' }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'text'; text: string }
  | { kind: 'first'; message: string }
  | { kind: 'replay' }
  | { kind: 'wrong password' }
  | { kind: 'changed'; at: number; flip: number }
  | { kind: 'right' };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'nothing' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 40 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('text' as const),
      text: fc.constantFrom(
        '',
        '\0juliet\0',
        '\0juliet\0wrong',
        'c=biws,r=x,p=',
        'c=biws,r=x,p=AAAA',
        'juliet@example.com',
        'v=AAAA',
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('first' as const),
      message: fc.constantFrom(
        'n,,n=juliet,r=x',
        'p=tls-exporter,,n=juliet,r=x',
        'p=tls-server-end-point,,n=juliet,r=x',
        'n,a=juliet@example.com,n=juliet,r=x',
        'n,a=romeo@example.com,n=juliet,r=x',
        'n,,n=nobody,r=x',
        'y,,n=juliet,r=x',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'replay' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'wrong password' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('changed' as const),
      at: fc.nat(),
      flip: fc.integer({ min: 1, max: 255 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'right' } as const) },
);

/** Moves in any order, often behind a beginning that the server takes. */
function dialogue(first: string): fc.Arbitrary<Move[]> {
  const beginning = fc.constantFrom<Move[]>([], [{ kind: 'first', message: first }]);
  return fc.tuple(beginning, fc.array(move, { maxLength: 4 })).map(([begin, rest]) => [...begin, ...rest]);
}

describe('no sequence of messages but a right proof leads to a success', () => {
  test.each(saslMechanisms.filter(({ name }) => name.startsWith('SCRAM')).map(({ name }) => name))(
    '%s',
    async (name) => {
      const hash = name.replace('SCRAM-', '').replace('-PLUS', '') as ScramHash;
      const recorded = await recordedFinal(name, hash);
      let successes = 0;
      await fc.assert(
        fc.asyncProperty(dialogue(firstOf(name)), async (moves) => {
          const exchange = startSasl(name, services());
          let first = '';
          let challenge: SaslStep | undefined;
          const alive = true;
          for (const each of moves) {
            const data = messageOf(each, hash, recorded, first, challenge);
            const proven = alive && each.kind === 'right' && challenge !== undefined && first.includes('n=juliet');
            let step: SaslStep;
            try {
              step = await exchange.step(data);
            } catch (error) {
              expect(error).toBeInstanceOf(SaslError);
              expect(proven).toBe(false);
              first = '';
              challenge = undefined;
              continue;
            }
            expect(step.type === 'success').toBe(proven);
            if (step.type === 'success') {
              successes++;
              challenge = undefined;
            } else if (each.kind === 'first') {
              first = each.message;
              challenge = step;
            }
          }
        }),
        { numRuns: 500 },
      );
      expect(successes).toBeGreaterThan(10);
    },
  );

  test('PLAIN', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 5 }), async (moves) => {
        const exchange = startSasl('PLAIN', services());
        for (const each of moves) {
          const data = messageOf(each, 'SHA-1', '', '', undefined);
          try {
            expect((await exchange.step(data)).type).toBe('challenge');
          } catch (error) {
            expect(error).toBeInstanceOf(SaslError);
          }
        }
      }),
    );
  });
});

function firstOf(name: string): string {
  return `${name.endsWith('-PLUS') ? 'p=tls-exporter' : 'n'},,n=juliet,r=x`;
}

function rightFinal(hash: ScramHash, first: string, challenge: SaslStep, text = password): string {
  const type = /^p=([^,]*)/.exec(first)?.[1];
  const bindingData = type === 'tls-exporter' || type === 'tls-server-end-point' ? bindings[type] : undefined;
  return clientFinal(hash, first, challenge, { bindingData, password: text }).message;
}

/** A final message that was right in another attempt. */
async function recordedFinal(name: string, hash: ScramHash): Promise<string> {
  const exchange: SaslExchange = startSasl(name, services());
  const first = firstOf(name);
  const message = rightFinal(hash, first, await exchange.step(Buffer.from(first)));
  expect((await exchange.step(Buffer.from(message))).type).toBe('success');
  return message;
}

function messageOf(
  each: Move,
  hash: ScramHash,
  recorded: string,
  first: string,
  challenge: SaslStep | undefined,
): Buffer | undefined {
  switch (each.kind) {
    case 'nothing':
      return undefined;
    case 'bytes':
      return Buffer.from(each.bytes);
    case 'text':
      return Buffer.from(each.text);
    case 'first':
      return Buffer.from(each.message);
    case 'replay':
      return Buffer.from(recorded);
    case 'wrong password':
      return Buffer.from(challenge === undefined ? recorded : rightFinal(hash, first, challenge, 'wrong'));
    case 'right':
      return Buffer.from(challenge === undefined ? recorded : rightFinal(hash, first, challenge));
    case 'changed': {
      const bytes = Buffer.from(challenge === undefined ? recorded : rightFinal(hash, first, challenge));
      const at = bytes.length === 0 ? 0 : each.at % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ each.flip;
      return bytes;
    }
  }
}
