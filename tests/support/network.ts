import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { NS } from '@parley/xmpp/namespaces';
import { TestClient } from './client.ts';
import { features, plain } from './login.ts';
import { socketWire } from './wires.ts';

/**
 * A client that has opened an encrypted stream over TCP, from this address of the loopback network; `header` is what a
 * load balancer says in front of it, `patience` how many milliseconds an answer may take.
 */
export async function encrypted(
  port: number,
  domain = 'localhost',
  localAddress?: string,
  header?: Buffer,
  patience?: number,
): Promise<TestClient> {
  const wire = await socketWire(port, localAddress);
  if (header !== undefined) wire.send(header);
  const client = new TestClient(wire);
  if (patience !== undefined) client.patience = patience;
  try {
    await opened(client, domain);
    client.send(`<starttls xmlns='${NS.tls}'/>`);
    await client.take(({ name }) => name === 'proceed');
    const late = setTimeout(() => client.break(), client.patience);
    await Promise.race([wire.upgrade(domain), refusal(client)]).finally(() => clearTimeout(late));
    client.open(domain);
    await features(client);
  } catch (error) {
    client.break();
    throw error;
  }
  return client;
}

/** A client that has opened a stream over TCP, in the clear. */
export async function unencrypted(port: number, domain = 'localhost', patience?: number): Promise<TestClient> {
  const client = new TestClient(await socketWire(port));
  if (patience !== undefined) client.patience = patience;
  try {
    await opened(client, domain);
  } catch (error) {
    client.break();
    throw error;
  }
  return client;
}

async function opened(client: TestClient, domain: string): Promise<void> {
  client.open(domain);
  await Promise.race([features(client), refusal(client)]);
}

/** Rejects where the server closes the connection. */
async function refusal(client: TestClient): Promise<never> {
  await client.closed;
  throw new Error('The connection was refused.');
}

/** A client that has logged in over TCP with the password "secret" and bound its resource; it has sent no presence. */
export async function logIn(port: number, jid: string, localAddress?: string, header?: Buffer): Promise<TestClient> {
  const [bare = '', resource = ''] = jid.split('/');
  const [local = '', domain = ''] = bare.split('@');
  const client = await encrypted(port, domain, localAddress, header);
  const end = await plain(client, local, 'secret');
  if (end.name !== 'success') throw new Error(`${jid} does not get in: ${end}`);
  await features(client);
  await client.request('set', `<bind xmlns='${NS.bind}'><resource>${resource}</resource></bind>`);
  client.jid = jid;
  return client;
}

/** As `logIn`, and available. */
export async function appearOver(port: number, jid: string, localAddress?: string): Promise<TestClient> {
  const client = await logIn(port, jid, localAddress);
  client.send('<presence/>');
  await client.sync();
  return client;
}

/** The certificate, by its fingerprint, that a new connection to a port with TLS from the first byte is shown. */
export async function shownCertificate(port: number): Promise<string> {
  const options = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false };
  const socket = connectTls({ ...options, ALPNProtocols: ['xmpp-client'] });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
