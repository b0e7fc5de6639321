import { Log } from '@parley/server/log';
import { expect, test } from 'vitest';
import { neverLogged, searchLog } from './log-search.ts';
import { base64, plain, scram } from './login.ts';
import { startServer, type TestServer } from './server.ts';

const PASSWORD = 'Chr0matic-Wherefore';

async function opened(server: TestServer) {
  const client = server.connect();
  client.open('localhost');
  return client;
}

test('whatever a client says that is secret is found where a log holds it', async () => {
  const server = await startServer();
  await server.account('juliet@localhost');
  await plain(await opened(server), 'juliet', PASSWORD);
  await scram(await opened(server), { username: 'juliet', password: 'secret', hash: 'SHA-256' });
  neverLogged('wrong');
  const lines: string[] = [];
  const log = Log.create({ output: { write: (line) => void lines.push(line) } });
  log.warn('keyspace.warning', { message: 'The password is wrong.' });
  searchLog(lines.join(''));
  for (const message of [
    PASSWORD,
    base64(PASSWORD).replace(/=+$/, ''),
    base64(`\0juliet\0${PASSWORD}`),
    `\0juliet\0${PASSWORD}`,
    'n,,n=juliet,r=a-nonce-of-the-client',
    server.node.config.cluster.secret,
  ]) {
    log.warn('keyspace.warning', { message });
    expect(() => searchLog(lines.pop() ?? ''), message).toThrow(/nobody’s business/);
  }
});
