import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import {
  deriveScramVerifier,
  formatScramVerifier,
  type ScramVerifier,
  scramHashes,
} from '@parley/xmpp/sasl/scram-verifier';
import { expect, test } from 'vitest';
import { formsOf, found } from '../security/secret-forms.ts';
import { Slapd } from '../services/slapd.ts';
import { personDn, SERVICE } from '../services/slapd-files.ts';
import { answer, base64, plain, scram, sendAuth } from '../support/login.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

// Each is a word that nothing else says.
const RIGHT = 'Chr0matic-Wherefore';
const NEXT = 'Pl4giarised-Balcony';
const WRONG = 'Tyb4lt-Prince-of-Cats';

const keysOf = (verifier: ScramVerifier | undefined) => (verifier ? [verifier.storedKey, verifier.serverKey] : []);

/** Logs in and fails to in every way, changes the password, and does it all while the directory is away, too. */
async function everything(server: TestServer, slapd: Slapd): Promise<(string | Buffer)[]> {
  const messages: (string | Buffer)[] = [];
  await slapd.modify(personDn('romeo'), { userPassword: [RIGHT] });
  for (const password of [RIGHT, WRONG]) {
    for (const username of ['romeo', 'nobody']) {
      await login(server, username, password);
      for (const hash of scramHashes) {
        const tamper = (message: string) => {
          messages.push(message, /p=(.*)$/.exec(message)?.[1] ?? message);
          return message;
        };
        await scram(stranger(server), { username, password, hash, tamper });
      }
    }
  }
  const client = stranger(server);
  sendAuth(client, 'SCRAM-SHA-256', base64('n,,n=romeo,r=a-nonce-of-the-client'));
  messages.push(Buffer.from((await answer(client)).text, 'base64').toString());

  const session = stranger(server);
  await plain(session, 'romeo', RIGHT);
  await session.request('set', `<bind xmlns='${NS.bind}'/>`);
  for (const password of ['x', NEXT]) {
    await session.request(
      'set',
      `<query xmlns='${NS.register}'><username>romeo</username><password>${password}</password></query>`,
    );
  }
  for (const hash of scramHashes)
    messages.push(...keysOf(await server.accounts.verifier(Jid.parse('romeo@localhost'), hash)));
  await slapd.kill();
  for (const password of [NEXT, WRONG]) await login(server, 'romeo', password);
  await scram(stranger(server), { username: 'romeo', password: NEXT, hash: 'SHA-256' });
  return messages.filter(({ length }) => length > 0); // a failure has none
}

test.each([
  ['debug', 'none'],
  ['debug', 'learn'],
  ['debug', 'verifiers'],
  ['debug', 'relay'],
  ['info', 'relay'],
] as const)(
  'at the level %s, with %s, the log holds no password, no SASL message and no verifier',
  async (logLevel, kind) => {
    const slapd = await Slapd.start();
    const verifiers = await Promise.all(scramHashes.map((hash) => deriveScramVerifier(RIGHT, hash)));
    await slapd.modify(personDn('romeo'), { authPassword: verifiers.map(formatScramVerifier) });
    const server = await startDirectoryServer(slapd, { logLevel, directory: { passwords: { scram: kind } } });
    const messages = await everything(server, slapd);
    const keys = verifiers.flatMap(keysOf);
    const secrets = [RIGHT, NEXT, WRONG, SERVICE.password, ...keys, ...messages].flatMap(formsOf);
    const log = server.log.map((line) => JSON.stringify(line)).join('\n');
    const events = new Set(server.log.map(({ event }) => event));
    expect([...events]).toEqual(expect.arrayContaining(['login.failed', 'session.bound', 'directory.failed']));
    expect(found(log, secrets)).toEqual([]);
  },
);
