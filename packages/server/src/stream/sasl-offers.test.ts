import { describe, expect, test } from 'vitest';
import type { Partly } from '../../../../tests/support/server.ts';
import type { PasswordMechanism } from '../auth/authenticator.ts';
import { type Configuration, configurationSchema } from '../config/schema.ts';
import type { ChannelBindingType } from '../net/transport.ts';
import { offersOf } from './sasl-offers.ts';
import type { Stream } from './stream.ts';

interface State {
  encrypted?: boolean;
  bindings?: readonly ChannelBindingType[];
  certificate?: boolean;
  domain?: string;
  carried?: readonly string[];
}

function offers(state: State, config: Partly<Configuration> = {}) {
  const {
    encrypted = true,
    bindings = [],
    certificate = false,
    domain = 'localhost',
    carried = [...SCRAM, ...PLUS, 'PLAIN'],
  } = state;
  const transport = {
    peerCertificate: certificate ? Buffer.from('DER') : undefined,
    channelBinding: (type: ChannelBindingType) => (bindings.includes(type) ? Buffer.from(type) : undefined),
  };
  return offersOf(
    { encrypted, domain, transport } as unknown as Stream,
    configurationSchema().parse({ ...config, tls: { clientAuthorities: 'ca.pem', ...config.tls } }),
    new Set(carried) as Set<PasswordMechanism>,
  );
}

const SCRAM = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'];
const PLUS = SCRAM.map((name) => `${name}-PLUS`);

describe('on an encrypted stream', () => {
  test('all that is configured, best first', () => {
    expect(offers({}).mechanisms).toEqual([...SCRAM, 'PLAIN']);
  });

  test('with channel binding its forms, and its types', () => {
    const { mechanisms, channelBindingTypes } = offers({ bindings: ['tls-server-end-point', 'tls-exporter'] });
    expect(mechanisms).toEqual([...PLUS, ...SCRAM, 'PLAIN']);
    expect(channelBindingTypes).toEqual(['tls-exporter', 'tls-server-end-point']);
    expect(offers({ bindings: ['tls-server-end-point'] }).channelBindingTypes).toEqual(['tls-server-end-point']);
  });

  test('no types where no mechanism binds', () => {
    const config = { authentication: { mechanisms: ['PLAIN'] } };
    expect(offers({ bindings: ['tls-exporter'] }, config)).toMatchObject({
      mechanisms: ['PLAIN'],
      channelBindingTypes: [],
    });
  });

  test('OAUTHBEARER, which looks at no password of the accounts, and never without encryption', () => {
    const identityProviders = [
      {
        name: 'a',
        issuer: 'https://a.example',
        keys: 'https://a.example/k',
        audience: ['x'],
        account: { claim: 'sub' },
      },
    ];
    const config = { authentication: { mechanisms: ['OAUTHBEARER', 'SCRAM-SHA-1'] }, identityProviders } as never;
    const state = { bindings: ['tls-exporter'] as const, carried: [] };
    expect(offers(state, config)).toMatchObject({ mechanisms: ['OAUTHBEARER'], channelBindingTypes: [] });
    const clear = offers({ encrypted: false }, { ...(config as object), tls: { required: false } } as never);
    expect(clear).toMatchObject({ mechanisms: ['SCRAM-SHA-1'], needTls: ['OAUTHBEARER'] });
  });

  test('EXTERNAL with a verified certificate alone', () => {
    const config = { authentication: { mechanisms: ['EXTERNAL', 'PLAIN'] } };
    expect(offers({ certificate: true }, config).mechanisms).toEqual(['EXTERNAL', 'PLAIN']);
    expect(offers({ certificate: false }, config).mechanisms).toEqual(['PLAIN']);
    expect(offers({ certificate: true }).mechanisms).not.toContain('EXTERNAL');
  });

  test('nothing that the accounts of the domain cannot log in with', () => {
    const bindings = ['tls-exporter'] as const;
    const config = { authentication: { mechanisms: ['EXTERNAL', 'SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const } };
    const certificate = true;
    expect(offers({ bindings, certificate, carried: ['PLAIN'] }, config)).toEqual({
      mechanisms: ['EXTERNAL', 'PLAIN'],
      channelBindingTypes: [],
      needTls: [],
    });
    const relayed = ['PLAIN', 'SCRAM-SHA-256'];
    expect(offers({ bindings, carried: relayed }, config)).toMatchObject({
      mechanisms: ['SCRAM-SHA-256', 'PLAIN'],
      channelBindingTypes: [],
    });
    expect(offers({ encrypted: false, carried: relayed }, config).needTls).not.toContain('SCRAM-SHA-512');
  });

  test('what the domain has of its own', () => {
    const config = { domains: ['localhost', { name: 'capulet.lit', mechanisms: ['SCRAM-SHA-256'] }] };
    expect(offers({ domain: 'capulet.lit' }, config).mechanisms).toEqual(['SCRAM-SHA-256']);
    expect(offers({ domain: 'localhost' }, config).mechanisms).toEqual([...SCRAM, 'PLAIN']);
  });
});

describe('on a stream that is not encrypted', () => {
  test('nothing', () => {
    expect(offers({ encrypted: false })).toEqual({
      mechanisms: [],
      channelBindingTypes: [],
      needTls: [...SCRAM, 'PLAIN'],
    });
  });

  test('nothing with PLAIN allowed, either, while TLS is required', () => {
    const config = { authentication: { plainWithoutTls: true } };
    expect(offers({ encrypted: false }, config).mechanisms).toEqual([]);
  });

  test('what tells no secret, where TLS is not required', () => {
    const { mechanisms, needTls } = offers({ encrypted: false }, { tls: { required: false } });
    expect(mechanisms).toEqual(SCRAM);
    expect(needTls).toEqual(['PLAIN']);
  });

  test('PLAIN, where the operator wants it so', () => {
    const config = {
      tls: { required: false },
      authentication: { plainWithoutTls: true, mechanisms: ['PLAIN', 'EXTERNAL', 'ANONYMOUS'] },
    };
    const { mechanisms, needTls } = offers({ encrypted: false, certificate: true }, config);
    expect(mechanisms).toEqual(['PLAIN', 'ANONYMOUS']);
    expect(needTls).toEqual(['EXTERNAL']);
  });
});
