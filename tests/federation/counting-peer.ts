import { EXTERNAL, type FakeConnection, fakePeer, MANAGEMENT } from '@parley/server/s2s/fake-peer';
import { NS } from '@parley/xmpp/namespaces';
import { inTime } from '../support/in-time.ts';

const SM = NS.streamManagement;

const NEXT =
  /<(r|enable|resume)\b[^>]*\/>|<(message|presence|iq)\b(?:[^>]*\/>|[^>]*>.*?<\/\2>)|<(\/stream:stream|\/?stream:error)[^>]*>/s;

const attribute = (text: string, name: string) => new RegExp(` ${name}='([^']*)'`).exec(text)?.[1] ?? '';

/** Another server, which counts what it gets, acknowledges it (XEP-0198) and may keep streams that are lost. */
export class CountingPeer {
  /** Sender and body of each message, in order. */
  readonly got: string[] = [];
  /** Sender, recipient and type of each presence, in order. */
  readonly presences: string[] = [];
  /** How often a stream went on with one before. */
  resumed = 0;
  /** It says what it has got, and at once. */
  acknowledges = true;
  readonly port: number;
  readonly #connections: readonly FakeConnection[];
  readonly #certificate: { cert: string; key: string };
  readonly #keeps: boolean;
  /** What was handled on which stream. */
  readonly #streams = new Map<string, { handled: number }>();
  #more: (() => void) | undefined;

  private constructor(
    port: number,
    connections: readonly FakeConnection[],
    certificate: { cert: string; key: string },
    keeps: boolean,
  ) {
    this.port = port;
    this.#connections = connections;
    this.#certificate = certificate;
    this.#keeps = keeps;
  }

  static async start(certificate: { cert: string; key: string }, keeps: boolean): Promise<CountingPeer> {
    const peer: { made?: CountingPeer } = {};
    const { port, connections } = await fakePeer((connection) => (peer.made as CountingPeer).#serve(connection));
    peer.made = new CountingPeer(port, connections, certificate, keeps);
    return peer.made;
  }

  /** Resolves when another message has come. */
  changed(): Promise<void> {
    const come = new Promise<void>((resolve) => {
      this.#more = resolve;
    });
    return inTime(come, () => `${this.got.length} messages have come.`);
  }

  /** All connections break. */
  break(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async #serve(connection: FakeConnection): Promise<void> {
    await connection.startTls(this.#certificate);
    await connection.begin(EXTERNAL);
    await connection.until(/<auth [^>]*>[^<]*<\/auth>/);
    connection.send(`<success xmlns='${NS.sasl}'/>`);
    await connection.begin(MANAGEMENT);
    let stream = { handled: 0 };
    for (;;) {
      const [text, asked, stanza] = await connection.until(NEXT);
      if (stanza !== undefined) {
        stream.handled++;
        if (stanza === 'message') this.#take(text);
        else if (stanza === 'presence') {
          this.presences.push(
            `${attribute(text, 'from')} ${attribute(text, 'to')} ${attribute(text, 'type') || 'available'}`,
          );
        }
      } else if (asked === 'r') {
        if (this.acknowledges) connection.send(`<a xmlns='${SM}' h='${stream.handled}'/>`);
      } else if (asked === 'enable') {
        const id = String(this.#streams.size);
        this.#streams.set(id, stream);
        connection.send(`<enabled xmlns='${SM}'${this.#keeps ? ` resume='true' id='${id}'` : ''}/>`);
      } else if (asked === 'resume') {
        const before = this.#streams.get(attribute(text, 'previd'));
        if (before === undefined) connection.send(`<failed xmlns='${SM}'/>`);
        else {
          stream = before;
          this.resumed++;
          connection.send(`<resumed xmlns='${SM}' previd='${attribute(text, 'previd')}' h='${stream.handled}'/>`);
        }
      } else {
        connection.send('</stream:stream>');
        connection.end();
        return;
      }
    }
  }

  #take(text: string): void {
    this.got.push(`${attribute(text, 'from')} ${/<body>([^<]*)/.exec(text)?.[1]}`);
    this.#more?.();
  }
}
