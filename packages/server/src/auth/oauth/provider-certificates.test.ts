import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OAuth2Server } from 'oauth2-mock-server';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigurationError } from '../../config/problem.ts';
import { configurationSchema } from '../../config/schema.ts';
import { Log } from '../../log.ts';
import { selfSigned } from '../../net/self-signed.ts';
import { IdentityProvider } from './identity-provider.ts';
import { providerSettings } from './provider-settings.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'parley-provider-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const settingsFor = (more: object) => {
  const provider = {
    name: 'secure',
    issuer: 'https://localhost',
    keys: 'https://localhost/jwks',
    audience: ['xmpp'],
    timeoutSeconds: 20,
    account: { claim: 'sub', domain: 'localhost' },
    ...more,
  };
  return providerSettings(configurationSchema().parse({ identityProviders: [provider] }));
};

test('a provider proves by its certificate that it is the one', async () => {
  const place = folder();
  const { certificate, key } = await selfSigned(['localhost']);
  const [authorities, keyFile] = [join(place, 'ca.pem'), join(place, 'key.pem')];
  writeFileSync(authorities, certificate);
  writeFileSync(keyFile, key);
  const server = new OAuth2Server(keyFile, authorities);
  await server.issuer.keys.generate('ES256');
  await server.start(0, '127.0.0.1');
  onTestFinished(() => server.stop());
  const { url = '' } = server.issuer;
  const token = await server.issuer.buildToken({
    scopesOrTransform: (header, payload) => {
      header.typ = 'at+jwt';
      Object.assign(payload, { sub: 'juliet', aud: 'xmpp', scope: 'xmpp:client:normal' });
    },
  });
  const outcome = async (trusted: object) => {
    const [settings] = settingsFor({ issuer: url, keys: `${url}/jwks`, ...trusted });
    const provider = new IdentityProvider({ settings: settings as never, log: Log.create({ level: 'silent' }) });
    try {
      return String((await provider.check(token, 'localhost')).account);
    } catch (error) {
      return (error as Error).message;
    } finally {
      provider.calls.close();
    }
  };
  expect(await outcome({ authorities })).toBe('juliet@localhost');
  expect(await outcome({})).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
});

test('a file that is none is told before anybody needs it', () => {
  const place = folder();
  writeFileSync(join(place, 'none.pem'), 'no certificate');
  expect(() => settingsFor({ authorities: join(place, 'none.pem') })).toThrow(ConfigurationError);
  expect(() => settingsFor({ authorities: join(place, 'nowhere.pem') })).toThrow('cannot be read (ENOENT)');
});
