/** Another server, as tests have it: it says what its script says. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { NS } from '@parley/xmpp/namespaces';
import { onTestFinished } from 'vitest';
import { inTime } from '../../../../tests/support/in-time.ts';

/** One connection, from the side of the fake. */
export class FakeConnection {
  #socket: Socket;
  #text = '';
  /** Those who wait for more. */
  #waiting: (() => void)[] = [];
  /** Everything that came. */
  log = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      this.#text += bytes;
      this.log += bytes;
      this.#more();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#more());
  }

  #more(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  /** Waits until this comes, and takes everything up to its end. */
  until(pattern: RegExp): Promise<RegExpMatchArray> {
    return inTime(this.#taken(pattern), () => `${pattern} does not come; it has said: ${this.#text}`);
  }

  async #taken(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#text.match(pattern);
      if (match !== null) {
        this.#text = this.#text.slice((match.index ?? 0) + match[0].length);
        return match;
      }
      if (this.#socket.destroyed) throw new Error(`The connection ended before ${pattern}; it had said: ${this.#text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits until the other side has gone. */
  async gone(): Promise<void> {
    const socket = this.#socket;
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve)); // be it by an error
  }

  /** Takes the header of the other side and answers with one and with these features. */
  async begin(features: string, id = 'stream1'): Promise<void> {
    await this.until(/<stream:stream [^>]*>/);
    this.send(
      `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' xmlns:db='${NS.dialback}' ` +
        `id='${id}' from='remote.example' to='local.example' version='1.0'>` +
        `<stream:features>${features}</stream:features>`,
    );
  }

  async encrypt(certificate: { cert: string; key: string }): Promise<TLSSocket> {
    this.#socket.removeAllListeners('data');
    const secure = new TLSSocket(this.#socket, {
      isServer: true,
      ...certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#socket = secure;
    this.#text = '';
    this.#listen();
    await once(secure, 'secure');
    return secure;
  }

  /** STARTTLS, from the features to the handshake. */
  async startTls(certificate: { cert: string; key: string }): Promise<TLSSocket> {
    await this.begin(STARTTLS);
    await this.until(/<starttls [^>]*\/>/);
    this.send(`<proceed xmlns='${NS.tls}'/>`);
    return this.encrypt(certificate);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export const STARTTLS = `<starttls xmlns='${NS.tls}'><required/></starttls>`;
export const EXTERNAL = `<mechanisms xmlns='${NS.sasl}'><mechanism>EXTERNAL</mechanism></mechanisms>`;
export const DIALBACK = `<dialback xmlns='${NS.dialbackFeature}'><errors/></dialback>`;
export const MANAGEMENT = `<sm xmlns='${NS.streamManagement}'/>`;

/** Listens on a free port of the loopback interface; each connection gets the script. What goes wrong in it is in `faults`. */
export async function fakePeer(
  script: (connection: FakeConnection, number: number) => Promise<void>,
): Promise<{ port: number; connections: FakeConnection[]; faults: unknown[] }> {
  const connections: FakeConnection[] = [];
  const faults: unknown[] = [];
  const server = createServer((socket) => {
    const connection = new FakeConnection(socket);
    connections.push(connection);
    script(connection, connections.length).catch((error) => faults.push(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, connections, faults };
}
