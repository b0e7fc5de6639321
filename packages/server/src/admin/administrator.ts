import type { Log } from '../log.ts';
import type { AccountAdministration } from './account-administration.ts';
import type { FederationActs } from './api.ts';
import type { FederationAdministration } from './federation-administration.ts';
import type { FederationEverywhere } from './federation-everywhere.ts';

/** What of an act is told where it cannot be done. */
interface Act {
  readonly act: string;
  readonly subject?: string;
}

/** Who administers, and tells in the log what they do: the audit stream is made of it. */
export class Administrator {
  readonly #log: Log;
  /** Their name, where it is known, and the way they came. */
  readonly by: string;

  constructor(log: Log, way: 'socket' | 'command', name = '') {
    this.#log = log;
    this.by = name === '' ? way : `${name} (${way})`;
  }

  /** Does it, and tells where that fails. */
  async refusing<T>(act: Act, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.refused(act, error);
      throw error;
    }
  }

  refused(act: Act, error: unknown): void {
    this.#log.warn('administration.refused', { ...act, by: this.by, reason: (error as Error).message });
  }

  /** The same accounts. */
  accounts(accounts: AccountAdministration): AccountAdministration {
    const { by } = this;
    const log = this.#log;
    const refused = (act: Act, error: unknown) => this.refused(act, error);
    const act = (name: string, account: string, work: Promise<void>) =>
      this.refusing({ act: name, subject: account }, () => work);
    return {
      async add(account, password) {
        await act('add', account, accounts.add(account, password));
        log.info('account.added', { account, by });
      },
      async setPassword(account, password) {
        await act('passwd', account, accounts.setPassword(account, password));
        log.info('account.password-set', { account, by });
      },
      async disable(account) {
        await act('disable', account, accounts.disable(account));
        log.info('account.disabled', { account, by });
      },
      async enable(account) {
        await act('enable', account, accounts.enable(account));
        log.info('account.enabled', { account, by });
      },
      async remove(account) {
        await act('remove', account, accounts.remove(account));
        log.info('account.removed', { account, by });
      },
      list: (domain) => accounts.list(domain),
      move: (account, to) => told(accounts.move(account, to), account, to),
    };

    async function* told<T>(steps: AsyncIterable<T>, account: string, to: string): AsyncGenerator<T> {
      let begun = false;
      try {
        for await (const step of steps) {
          if (!begun) log.info('account.move-ordered', { account, to, by });
          begun = true;
          yield step;
        }
      } catch (error) {
        refused({ act: 'move', subject: account }, error);
        throw error;
      }
    }
  }

  /** The same streams to other servers. */
  federation(
    { explain, connect }: Pick<FederationAdministration, 'explain' | 'connect'>,
    everywhere: Pick<FederationEverywhere, 'list' | 'close'>,
  ): FederationActs {
    const { by } = this;
    return {
      explain,
      list: () => everywhere.list(),
      connect: async (remote, local) => {
        await this.refusing({ act: 's2s connect', subject: remote }, () => connect(remote, local));
        this.#log.info('s2s.connect-ordered', { remote, by });
      },
      close: async (remote) => {
        const closed = await this.refusing({ act: 's2s close', subject: remote }, () => everywhere.close(remote));
        this.#log.info('s2s.close-ordered', { remote, closed, by });
        return closed;
      },
    };
  }
}
