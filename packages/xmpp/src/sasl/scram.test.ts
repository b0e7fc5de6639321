import { describe, expect, test } from 'vitest';
import { SaslError } from '../sasl-error.ts';
import type { ChannelBindingType, SaslServices, SaslStep } from './mechanism.ts';
import { ScramExchange } from './scram.ts';
import { deriveScramVerifier, type ScramHash, scramHashes } from './scram-verifier.ts';
import { bindings, clientFinal, juliet, services } from './testing.ts';

function scram(hash: ScramHash, plus: boolean, change: Partial<SaslServices> = {}) {
  return new ScramExchange(services(change), { hash, plus });
}

async function send(exchange: ScramExchange, message: string): Promise<SaslStep> {
  return exchange.step(Buffer.from(message));
}

const plusFirst = (type: string) => `p=${type},,n=juliet,r=clientnonce`;
const withoutPlus = { offeredMechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], channelBindingTypes: [] };

describe('the published exchanges', () => {
  test.each([
    {
      hash: 'SHA-1' as const,
      salt: 'QSXCR+Q6sek8bf92',
      first: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
      nonce: '3rfcNHYJY1ZVvWVs7j',
      challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      final: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      success: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      hash: 'SHA-256' as const,
      salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
      first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      final:
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      success: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ])('$hash (RFC 5802 §5, RFC 7677 §3)', async ({ hash, salt, first, nonce, challenge, final, success }) => {
    const verifier = await deriveScramVerifier('pencil', hash, { iterations: 4096, salt: Buffer.from(salt, 'base64') });
    const change = { ...withoutPlus, downgradeProtection: false, scramVerifier: () => verifier };
    const exchange = new ScramExchange(services(change), { hash, plus: false, nonce });
    expect(String((await send(exchange, first)).data)).toBe(challenge);
    const step = await send(exchange, final);
    expect(step.type === 'success' && step.identity.toString()).toBe('user@example.com');
    expect(String(step.data)).toBe(success);
  });

  // XEP-0474 §6.3
  test('SHA-1 with channel binding and downgrade protection', async () => {
    const verifier = await deriveScramVerifier('pencil', 'SHA-1', {
      iterations: 4096,
      salt: Buffer.from('QSXCR+Q6sek8bf92', 'base64'),
    });
    const offers = services({
      offeredMechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
      scramVerifier: () => verifier,
      channelBinding: () => Buffer.from('THIS IS FAKE CB DATA'),
    });
    const nonce = 'a09117a6-ac50-4f2f-93f1-93799c2bddf6';
    const exchange = new ScramExchange(offers, { hash: 'SHA-1', plus: true, nonce });
    const challenge = await send(exchange, 'p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6');
    expect(String(challenge.data)).toBe(
      'r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,' +
        's=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=',
    );
    const step = await send(
      exchange,
      'c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,' +
        'r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,' +
        'x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=',
    );
    expect(String(step.data)).toBe('v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=');
  });
});

describe.each(scramHashes)('SCRAM-%s', (hash) => {
  test('logs in and proves the server', async () => {
    const exchange = scram(hash, false);
    const first = 'n,,n=juliet,r=clientnonce';
    const { message, serverSignature } = clientFinal(hash, first, await send(exchange, first));
    const step = await send(exchange, message);
    expect(step.type === 'success' && step.identity.equals(juliet)).toBe(true);
    expect(String(step.data)).toBe(`v=${serverSignature}`);
  });

  test.each(['tls-exporter', 'tls-server-end-point'] as ChannelBindingType[])('logs in bound to %s', async (type) => {
    const exchange = scram(hash, true);
    const first = plusFirst(type);
    const challenge = await send(exchange, first);
    const { message } = clientFinal(hash, first, challenge, { bindingData: bindings[type] });
    expect((await send(exchange, message)).type).toBe('success');
  });

  test.each([
    ['a wrong password', { password: 'wrong', bindingData: bindings['tls-exporter'] }],
    ['the binding of another stream', { bindingData: Buffer.from('exported by a stream in between') }],
    ['the binding of another type', { bindingData: bindings['tls-server-end-point'] }],
    ['no binding', {}],
  ])('refuses %s', async (_, options) => {
    const exchange = scram(hash, true);
    const first = plusFirst('tls-exporter');
    const { message } = clientFinal(hash, first, await send(exchange, first), options);
    await expect(send(exchange, message)).rejects.toMatchObject({ condition: 'not-authorized' });
  });
});

test('the first message decides who logs in', async () => {
  for (const first of ['n,a=juliet@example.com,n=juliet,r=x', 'n,,n=JULIET,r=x', 'n,,n=juliet,r=x,e=xtension']) {
    const exchange = scram('SHA-256', false);
    const { message } = clientFinal('SHA-256', first, await send(exchange, first), { extensions: ',x=more' });
    const step = await send(exchange, message);
    expect(step.type === 'success' && step.identity.equals(juliet)).toBe(true);
  }
});

test.each([
  ['invalid-authzid', 'n,a=romeo@example.com,n=juliet,r=x'],
  ['invalid-authzid', 'n,a=juliet,n=juliet,r=x'],
  ['invalid-authzid', 'n,a=juliet@example.com/x,n=juliet,r=x'],
  ['not-authorized', 'n,,n=ju liet,r=x'],
  ['not-authorized', 'n,,n=juliet@example.com,r=x'],
  ['mechanism-too-weak', 'y,,n=juliet,r=x'],
  ['malformed-request', 'p=tls-exporter,,n=juliet,r=x'],
  ['malformed-request', 'n,,m=x,n=juliet,r=x'],
  ['malformed-request', 'nonsense'],
])('%s: %s', async (condition, first) => {
  await expect(send(scram('SHA-1', false), first)).rejects.toMatchObject({ condition, name: 'SaslError' });
});

test.each([
  ['malformed-request', 'n,,n=juliet,r=x'],
  ['malformed-request', 'y,,n=juliet,r=x'],
  ['mechanism-too-weak', 'p=tls-unique,,n=juliet,r=x'],
  ['mechanism-too-weak', 'p=toString,,n=juliet,r=x'],
])('with channel binding, %s: %s', async (condition, first) => {
  await expect(send(scram('SHA-1', true), first)).rejects.toMatchObject({ condition });
});

test('a client that sees no channel binding may say so where none is offered', async () => {
  const exchange = scram('SHA-1', false, withoutPlus);
  const first = 'y,,n=juliet,r=x';
  const { message } = clientFinal('SHA-1', first, await send(exchange, first));
  expect((await send(exchange, message)).type).toBe('success');
});

test('a type that is not announced, or has no data, cannot be used', async () => {
  const none = scram('SHA-1', true, { channelBinding: () => undefined });
  await expect(send(none, plusFirst('tls-exporter'))).rejects.toMatchObject({ condition: 'mechanism-too-weak' });
  const other = scram('SHA-1', true, { channelBindingTypes: ['tls-server-end-point'] });
  await expect(send(other, plusFirst('tls-exporter'))).rejects.toMatchObject({ condition: 'mechanism-too-weak' });
});

test('the header cannot be changed after the first message', async () => {
  const exchange = scram('SHA-1', false);
  const challenge = await send(exchange, 'n,,n=juliet,r=x');
  const { message } = clientFinal('SHA-1', 'y,,n=juliet,r=x', challenge);
  await expect(send(exchange, message)).rejects.toMatchObject({ condition: 'not-authorized' });
});

test.each(['x', 'x0', 'another'])('the nonce %s is not the one of this exchange', async (nonce) => {
  const exchange = scram('SHA-1', false);
  const first = 'n,,n=juliet,r=x';
  const { message } = clientFinal('SHA-1', first, await send(exchange, first), { nonce });
  await expect(send(exchange, message)).rejects.toMatchObject({ condition: 'not-authorized' });
});

// XEP-0515 §4.1
test.each(['0303', '0304'])(
  'the version of TLS (%s) is told, and the proof is for no other one',
  async (tlsVersion) => {
    const first = 'n,,n=juliet,r=x';
    const exchange = () =>
      new ScramExchange(services({ ...withoutPlus, tlsVersion }), { hash: 'SHA-256', plus: false });
    const honest = exchange();
    const challenge = await send(honest, first);
    expect(String(challenge.data)).toMatch(new RegExp(`,h=[A-Za-z0-9+/]{43}=,t=${tlsVersion}$`));
    expect((await send(honest, clientFinal('SHA-256', first, challenge).message)).type).toBe('success');
    const betrayed = exchange();
    const told = await send(betrayed, first);
    const other = { ...told, data: Buffer.from(String(told.data).replace(/,t=.*/, ',t=0302')) };
    const { message } = clientFinal('SHA-256', first, other);
    await expect(send(betrayed, message)).rejects.toMatchObject({ condition: 'not-authorized' });
  },
);

test('an unknown name is answered like a known one, every time the same salt, and fails at the end', async () => {
  const first = 'n,,n=nobody,r=x';
  const salts = new Set<string>();
  for (let attempt = 0; attempt < 3; attempt++) {
    const exchange = scram('SHA-256', false);
    const challenge = await send(exchange, first);
    expect(String(challenge.data)).toMatch(/^r=x[!-+\--~]{24},s=[A-Za-z0-9+/]{22}==,i=4096,h=[A-Za-z0-9+/]{43}=$/);
    salts.add(String(challenge.data).split(',')[1] ?? '');
    const { message } = clientFinal('SHA-256', first, challenge);
    await expect(send(exchange, message)).rejects.toMatchObject({ condition: 'not-authorized' });
  }
  expect(salts.size).toBe(1);
});

test('an unknown name fails even with a proof that fits its false verifier', async () => {
  const known = await services().scramVerifier(juliet, 'SHA-1');
  if (known === undefined) throw new Error('no verifier');
  const exchange = scram('SHA-1', false, { scramVerifier: () => undefined, falseVerifier: () => known });
  const first = 'n,,n=nobody,r=x';
  const { message } = clientFinal('SHA-1', first, await send(exchange, first));
  await expect(send(exchange, message)).rejects.toMatchObject({ condition: 'not-authorized' });
});

test('no promise is made where nothing waits', async () => {
  const known = await services().scramVerifier(juliet, 'SHA-1');
  const exchange = scram('SHA-1', false, { scramVerifier: () => known });
  expect(exchange.step(Buffer.from('n,,n=juliet,r=x'))).not.toBeInstanceOf(Promise);
});

describe('spoken by somebody else', () => {
  const first = 'n,,n=juliet,r=clientnonce';
  const relay = (log: string[] = []) => ({
    first: async (message: string) => {
      log.push(message);
      return 'r=clientnonceserver,s=c2FsdA==,i=4096';
    },
    final: async (message: string) => {
      log.push(message);
      if (!message.endsWith('p=cmlnaHQ=')) throw new SaslError('not-authorized');
      return 'v=c2lnbmF0dXJl';
    },
  });
  const final = (proof: string) => `c=biws,r=clientnonceserver,p=${proof}`;

  test('the messages go there and back as they are', async () => {
    const log: string[] = [];
    const scramVerifier = () => expect.unreachable();
    const exchange = scram('SHA-256', false, { ...withoutPlus, scramRelay: async () => relay(log), scramVerifier });
    expect(String((await send(exchange, first)).data)).toBe('r=clientnonceserver,s=c2FsdA==,i=4096');
    const step = await send(exchange, final('cmlnaHQ='));
    expect(step).toEqual({ type: 'success', identity: juliet, data: Buffer.from('v=c2lnbmF0dXJl') });
    expect(log).toEqual([first, final('cmlnaHQ=')]);
  });

  test.each([
    ['a wrong proof', first, final('ZmFsc2U='), 'not-authorized'],
    ['no SCRAM message at the end', first, 'c=biws,r=clientnonceserver', 'malformed-request'],
    ['somebody else’s identity', 'n,a=romeo@example.com,n=juliet,r=clientnonce', final('cmlnaHQ='), 'invalid-authzid'],
  ])('%s gets nobody in', async (_, one, two, condition) => {
    const exchange = scram('SHA-256', false, { ...withoutPlus, scramRelay: () => relay() });
    const both = async () => {
      await send(exchange, one);
      await send(exchange, two);
    };
    await expect(both()).rejects.toMatchObject({ condition });
  });

  test('a client that was kept from channel binding is told so', async () => {
    const exchange = scram('SHA-256', false, { scramRelay: () => relay() });
    await expect(send(exchange, 'y,,n=juliet,r=clientnonce')).rejects.toMatchObject({
      condition: 'mechanism-too-weak',
    });
  });

  test('never with channel binding', async () => {
    const exchange = scram('SHA-256', true, { scramRelay: () => expect.unreachable() });
    expect((await send(exchange, plusFirst('tls-exporter'))).type).toBe('challenge');
  });
});
