import type { Log } from '../log.ts';
import type { AccountAdministration } from './account-administration.ts';
import type { FederationActs } from './api.ts';
import type { DataAdministration } from './data-administration.ts';
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
      async revoke(account, client) {
        await act('revoke', account, accounts.revoke(account, client));
        if (client === undefined) log.info('account.clients-revoked', { account, by });
        else log.info('account.client-revoked', { account, id: client, by });
      },
      clients: (account) => accounts.clients(account),
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

  /** The same data. */
  data(data: DataAdministration, domains: readonly string[]): DataAdministration {
    const { by } = this;
    const log = this.#log;
    const refused = (act: Act, error: unknown) => this.refused(act, error);
    return {
      import: async (piece) => {
        const outcome = await this.refusing({ act: 'import', subject: piece.jid }, () => data.import(piece));
        if (piece.last && outcome.done !== 'skipped') log.info('account.imported', { account: piece.jid, by });
        return outcome;
      },
      erase: async (account) => {
        const left = await this.refusing({ act: 'erase', subject: account }, () => data.erase(account));
        log.info('account.erased', { account, by });
        return left;
      },
      async *archive(account) {
        try {
          yield* disclosed(data.archive(account), () => log.info('account.exported', { account, by }));
        } catch (error) {
          refused({ act: 'export', subject: account }, error);
          throw error;
        }
      },
      async *backup() {
        try {
          yield* data.backup();
          log.info('data.backed-up', { by });
        } catch (error) {
          refused({ act: 'backup' }, error);
          throw error;
        }
      },
      async *export(choice) {
        const { account, domain } = choice;
        try {
          yield* disclosed(data.export(choice), () => {
            if (account !== undefined) log.info('account.exported', { account, by });
            else log.info('accounts.exported', { domains: domain === undefined ? domains : [domain], by });
          });
        } catch (error) {
          const subject = account ?? domain;
          refused({ act: 'export', ...(subject !== undefined && { subject }) }, error);
          throw error;
        }
      },
    };
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

/** What of it is given out is told before it is: whoever takes it may break off, or never ask for the rest. */
async function* disclosed<T>(pieces: AsyncIterable<T>, tell: () => void): AsyncGenerator<T> {
  let told = false;
  for await (const piece of pieces) {
    if (!told) tell();
    told = true;
    yield piece;
  }
}
