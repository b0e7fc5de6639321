import type { Keyspace } from '@parley/keyspace/keyspace';
import { type Opened, openKeyspace } from '@parley/keyspace/open';

/** A keyspace in memory that notes what is asked of it. */
export class CountedKeyspace {
  readonly keyspace: Keyspace;
  readonly #calls: string[] = [];

  private constructor({ keyspace }: Opened) {
    this.keyspace = new Proxy(keyspace, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name === 'forAccount') return () => this.keyspace;
        return (...args: unknown[]) => {
          this.#calls.push(`${String(name)} ${keyOf(args)}`);
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
  }

  static async open(): Promise<CountedKeyspace> {
    return new CountedKeyspace(await openKeyspace('embedded::memory:'));
  }

  /** What was asked that has to do with this account, without its name, and forgets it. */
  taken(account: string): string[] {
    const calls = this.#calls.splice(0);
    return calls.filter((call) => call.includes(account)).map((call) => call.split(':')[0] as string);
  }
}

const keyOf = ([first, second]: unknown[]): string =>
  typeof first === 'string' ? first : Array.isArray(second) ? String(second[0]) : JSON.stringify(first);
