import type { Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { TestServer } from './server.ts';

/** Another domain that stanzas go to and come from. */
export class RemoteDomain {
  /** What came and was not asked for yet, as XML. */
  readonly #got: string[] = [];
  readonly #server: TestServer;

  constructor(server: TestServer, domain: string) {
    this.#server = server;
    server.node.router.addService(domain, (stanza: Stanza) => {
      this.#got.push(stanza.toString());
    });
  }

  /** Resolves when the server has dealt with it. */
  async send(xml: string): Promise<void> {
    await this.#server.node.router.route(stanzaFromText(Buffer.from(xml)));
  }

  /** What came, and takes it. */
  taken(): string[] {
    return this.#got.splice(0);
  }
}
