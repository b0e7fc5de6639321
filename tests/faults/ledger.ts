import type { TestClient } from '../support/client.ts';

/** What somebody wrote to an account that is not online, and what became of it. */
export class Ledger {
  readonly acknowledged: string[] = [];
  /** `wait resource-constraint`, for each that was refused. */
  readonly refused: string[] = [];
  readonly #writer: TestClient;
  readonly #to: string;
  #count = 0;

  constructor(writer: TestClient, to: string) {
    this.#writer = writer;
    this.#to = to;
  }

  /** Writes one more; it was taken once a request that follows it is answered. */
  async write(padding = 0): Promise<void> {
    const id = `m${++this.#count}`;
    const body = `${id} ${'x'.repeat(padding)}`;
    this.#writer.send(`<message id='${id}' type='chat' to='${this.#to}'><body>${body}</body></message>`);
    await this.#writer.request('get', `<ping xmlns='urn:xmpp:ping'/>`, 'localhost');
    const answer = this.#writer.inbox.findIndex((stanza) => stanza.attr('id') === id);
    if (answer === -1) this.acknowledged.push(id);
    else this.refused.push(errorOf(this.#writer.inbox.splice(answer, 1)[0]));
  }
}

export const errorOf = (stanza: { child(name: string): TestClient['features'] } | undefined): string => {
  const error = stanza?.child('error');
  return error === undefined ? 'result' : `${error.attr('type')} ${error.firstChild?.name}`;
};

/** Everything that waits for an account that comes now, by the ids of the ledger. */
export async function collect(client: TestClient): Promise<string[]> {
  // what waits is delivered first
  client.send(`<presence/><message to='${client.jid}'><body>end</body></message>`);
  const ids: string[] = [];
  for (;;) {
    const [id = ''] = (await client.nextMessage()).childText('body')?.split(' ') ?? [];
    if (id === 'end') return ids;
    ids.push(id);
  }
}
