import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';

export const iterationKeys = declareKeys({
  name: 'scram-iterations',
  scope: 'global',
  parts: ['accounts'],
  type: 'set',
  content: 'how many iterations verifiers of SCRAM have had, of the accounts of the server or of a directory',
  bound: 'eight',
  ttl: 'none',
});

/** Numbers of iterations, as all nodes and later ones know them. */
export class KeptCounts {
  readonly #keyspace: Keyspace;
  readonly #key: string;

  /** `accounts`: what keeps them. */
  constructor(keyspace: Keyspace, accounts: string) {
    this.#keyspace = keyspace;
    this.#key = iterationKeys.key(accounts);
  }

  async all(): Promise<number[]> {
    return (await this.#keyspace.smembers(this.#key)).map(Number);
  }

  async add(count: number): Promise<void> {
    await this.#keyspace.sadd(this.#key, String(count));
  }
}
