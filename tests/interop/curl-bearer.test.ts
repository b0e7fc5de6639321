import { expect, test } from 'vitest';
import { findProgram } from '../../scripts/test-services.ts';
import { imapDoor } from '../services/imap-door.ts';
import { TestProvider } from '../support/identity-provider.ts';
import { conditionOf, isIn } from '../support/login.ts';
import { run } from '../support/process.ts';
import { type Exchange, saslExchange } from '../support/sasl-exchange.ts';
import { startServer } from '../support/server.ts';

// No client of XMPP that Debian 12 has knows OAUTHBEARER (gsasl 2.2.0 neither); libcurl does, for mail.

/** curl's exit code where a login is refused. */
const REFUSED = 67;

test.each([
  ['juliet@localhost', {}, 0, ['success']],
  ['romeo@localhost', {}, REFUSED, ['invalid-authzid']],
  ['juliet@localhost', { exp: 1 }, REFUSED, ['challenge', 'not-authorized']],
])('what libcurl says by OAUTHBEARER for %s with %j comes to %d', async (name, claims, code, expected) => {
  const provider = await TestProvider.start();
  const server = await startServer({
    config: {
      authentication: { mechanisms: ['OAUTHBEARER'] },
      limits: { logins: { delaySeconds: 0 } },
      identityProviders: [provider.signed()],
    },
  });
  await server.account('juliet@localhost');
  const client = server.connect();
  client.open('localhost');
  const heard: string[] = [];
  const port = await imapDoor('OAUTHBEARER', (): Exchange => {
    const exchange = saslExchange(client, 'OAUTHBEARER');
    const next = async () => {
      const said = await exchange.next();
      heard.push(conditionOf(said));
      return said;
    };
    return { ...exchange, next };
  });
  const login = ['--login-options', 'AUTH=OAUTHBEARER', '--user', name];
  const args = ['--silent', ...login, '--oauth2-bearer', await provider.token(claims), `imap://127.0.0.1:${port}/`];
  const finished = await run(findProgram('curl') ?? 'curl', args);
  expect([finished.code, heard]).toEqual([code, expected]);
  expect(await isIn(client)).toBe(code === 0);
});
