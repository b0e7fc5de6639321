import { AdministrationError } from '@parley/server/admin/administration-error';
import type { DataAdministration, Existing } from '@parley/server/admin/data-administration';
import { Jid, JidError } from '@parley/xmpp/jid';
import { AccountSender } from './account-sender.ts';
import { Failed } from './exit.ts';
import type { ImportReport } from './import-report.ts';
import type { Place, PortableEvent } from './portable-file.ts';

/** Accounts that are sent together: each waits for its store, or for its password to be hashed. */
const AT_ONCE = 8;

export interface ImportOptions {
  readonly existing: Existing;
  /** Ends at the first account that cannot be taken as a whole. */
  readonly strict: boolean;
  readonly report: ImportReport;
}

/** Has the accounts of an export taken in, several at a time. */
export class AccountsImport {
  readonly #data: DataAdministration;
  readonly #options: ImportOptions;
  readonly #sending = new Set<Promise<void>>();
  #host = '';
  #current: AccountSender | undefined;
  /** What ends all of it. */
  #failure: unknown;

  constructor(data: DataAdministration, options: ImportOptions) {
    this.#data = data;
    this.#options = options;
  }

  async take(events: AsyncIterable<PortableEvent>): Promise<void> {
    try {
      for await (const event of events) {
        await this.#takeOne(event);
        if (this.#failure !== undefined) break;
      }
    } finally {
      await Promise.all(this.#sending);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #takeOne(event: PortableEvent): Promise<void> {
    const { place } = event;
    switch (event.type) {
      case 'host':
        this.#host = event.jid;
        return;
      case 'user':
        this.#begin(event.name, event.password, place);
        return;
      case 'part':
        this.#current?.part(event.element.toString(), place);
        return this.#makeRoom();
      case 'message':
        this.#current?.message(event.element.toString(), place);
        return this.#makeRoom();
      case 'user-end':
        return this.#end();
      case 'too-large':
        this.#current?.problem(`${event.what} is left out: it is larger than anything that is kept here.`, place);
        return;
      case 'foreign':
        this.#options.report.foreign(event.what, place);
    }
  }

  #begin(name: string, password: string | undefined, place: Place): void {
    let jid: string;
    try {
      jid = Jid.of(name, this.#host).toString();
    } catch (error) {
      if (!(error instanceof JidError)) throw error;
      this.#fail(place, `${name}@${this.#host}`, `This is no address: ${error.message}.`);
      return;
    }
    this.#current = new AccountSender({ jid, place, password }, this.#data, this.#options.existing, (problem) => {
      const line = this.#options.report.problem(problem.place, jid, problem.text);
      if (this.#options.strict) this.#failure ??= new Failed(line);
    });
  }

  /** What is much of one account goes out before more of it is read. */
  async #makeRoom(): Promise<void> {
    const sender = this.#current;
    if (sender === undefined || !sender.full) return;
    if (!(await this.#send(sender, false))) this.#current = undefined;
  }

  async #end(): Promise<void> {
    const sender = this.#current;
    this.#current = undefined;
    if (sender === undefined) return;
    const sending: Promise<void> = this.#send(sender, true).then(() => void this.#sending.delete(sending));
    this.#sending.add(sending);
    if (this.#sending.size >= AT_ONCE) await Promise.race(this.#sending);
  }

  /** False where the account cannot be taken. */
  async #send(sender: AccountSender, last: boolean): Promise<boolean> {
    const { jid, place } = sender.source;
    try {
      const outcome = await sender.send(last);
      if (last) this.#options.report.done(outcome);
      return true;
    } catch (error) {
      if (error instanceof AdministrationError && error.failure !== 'unavailable')
        this.#fail(place, jid, error.message);
      else this.#failure ??= error;
      return false;
    }
  }

  #fail(place: Place, account: string, text: string): void {
    const { report, strict } = this.#options;
    report.failed++;
    const line = report.problem(place, account, text);
    if (strict) this.#failure ??= new Failed(line);
  }
}
