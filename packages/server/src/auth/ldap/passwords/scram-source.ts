import { createHmac } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import {
  falseScramVerifier,
  parseScramVerifier,
  type ScramHash,
  type ScramVerifier,
} from '@parley/xmpp/sasl/scram-verifier';
import { AndFilter, PresenceFilter } from 'ldapts';
import { AccountsBusy } from '../../authenticator.ts';
import { IterationCounts } from '../../iteration-counts.ts';
import type { KeptCounts } from '../../kept-counts.ts';
import type { PasswordWork } from '../../password-work.ts';
import type { Deadline } from '../directory.ts';
import type { Entry } from '../entry.ts';
import type { Lookups } from '../lookups.ts';
import type { Person } from '../person.ts';
import type { DirectorySettings } from '../settings.ts';
import type { LearntVerifiers } from './learnt-verifiers.ts';
import { marksOf } from './password-mark.ts';

/** Where the SCRAM verifiers of a directory's people come from. */
export interface ScramSource {
  verifier(person: Person, hash: ScramHash, deadline: Deadline): Promise<ScramVerifier | undefined>;
  /** As long as it takes to look for one of somebody known. */
  none(account: Jid, hash: ScramHash, deadline: Deadline): Promise<void>;
  /** One that no password fits, which looks like the others. */
  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier;
  /** The directory has just found this password right. */
  right?(person: Person, password: string): Promise<void>;
  /** The password is another one, or nobody has it any more. */
  forget?(account: Jid): Promise<void>;
  /** A password that does not fit the verifier is most likely wrong: the directory need not be asked often. */
  readonly spares?: true;
}

/** No password has it. */
const NEVER = { id: '', changed: '' };

export interface LearningOptions {
  readonly settings: DirectorySettings;
  readonly learnt: LearntVerifiers;
  readonly work: PasswordWork;
  readonly secret: Buffer;
  iterations(): number;
  /** The numbers of iterations that other nodes have met. */
  readonly counts?: KeptCounts;
}

/** Verifiers that were learnt from logins by PLAIN. */
export class Learning implements ScramSource {
  readonly spares = true;
  readonly #options: LearningOptions;
  readonly #counts: IterationCounts;

  constructor(options: LearningOptions) {
    this.#options = options;
    this.#counts = new IterationCounts(options.iterations, options.secret, options.counts);
  }

  async verifier(person: Person, hash: ScramHash): Promise<ScramVerifier | undefined> {
    const { learnt, settings } = this.#options;
    const { lasting, brief } = marksOf(person, settings);
    return this.#counts.see(await learnt.get(person.account, hash, lasting ?? NEVER, brief ?? NEVER));
  }

  async none(account: Jid, hash: ScramHash): Promise<void> {
    await this.#options.learnt.get(account, hash, NEVER, NEVER);
  }

  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier {
    return falseScramVerifier(this.#options.secret, account.bareText, hash, this.#counts.pretended(account));
  }

  /** `person` as it was found before the password was tried: if it has changed since, nothing is ever taken for it. */
  async right(person: Person, password: string): Promise<void> {
    const { learnt, settings, work } = this.#options;
    const { lasting, brief } = marksOf(person, settings);
    const mark = lasting ?? brief;
    if (mark === undefined) return;
    const known = await learnt.get(person.account, 'SHA-256', mark);
    if (known?.iterations === this.#options.iterations()) return;
    try {
      const salt = (hash: ScramHash) => this.falseVerifier(person.account, hash).salt;
      await work.run(() => learnt.learn(person.account, password, mark, salt));
    } catch (error) {
      if (!(error instanceof AccountsBusy)) throw error; // the next time, then
    }
  }

  forget(account: Jid): Promise<void> {
    return this.#options.learnt.forget(account);
  }
}

export interface ReadingOptions {
  readonly settings: DirectorySettings;
  readonly lookups: Lookups;
  readonly secret: Buffer;
  iterations(): number;
}

/** How a verifier looks to whoever is challenged. */
interface Form {
  readonly iterations: number;
  readonly saltBytes: number;
}

/** Forms of one hash that are remembered. */
const MOST_FORMS = 8;

/** People who are looked at to know how verifiers look, and how soon again where none of them had one. */
const SOME = 10;
const LOOK_AGAIN_MS = 60_000;

/** Verifiers that the directory has (RFC 5803). */
export class Reading implements ScramSource {
  readonly #options: ReadingOptions;
  /** How those look that were read. */
  readonly #seen = new Map<ScramHash, Form[]>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  async verifier(person: Person, hash: ScramHash, deadline: Deadline): Promise<ScramVerifier | undefined> {
    const entry = await this.#read(person.dn, deadline);
    const verifier = entry && this.#verifiersIn(entry).find((each) => each.hash === hash);
    if (verifier === undefined) await this.#learnForm(hash, deadline);
    else this.#see(verifier);
    return verifier;
  }

  async none(_account: Jid, hash: ScramHash, deadline: Deadline): Promise<void> {
    await this.#read(this.#options.settings.people.base, deadline);
    await this.#learnForm(hash, deadline);
  }

  #verifiersIn(entry: Entry): ScramVerifier[] {
    const lines = entry.texts(this.#options.settings.passwords.verifiers);
    return lines.flatMap((line) => parseScramVerifier(line.replace(/\s*\$\s*/g, '$').trim()) ?? []); // RFC 3112 §2.2
  }

  #see({ hash, iterations, salt }: ScramVerifier): void {
    const forms = this.#seen.getOrInsertComputed(hash, () => []);
    const known = forms.some((form) => form.iterations === iterations && form.saltBytes === salt.length);
    if (!known && forms.length < MOST_FORMS) forms.push({ iterations, saltBytes: salt.length });
  }

  /** Where none was read yet, since the node has just been started for instance, that of somebody is looked at. */
  async #learnForm(hash: ScramHash, deadline: Deadline): Promise<void> {
    if (this.#seen.has(hash) || performance.now() - this.#lookedAt < LOOK_AGAIN_MS) return;
    const { lookups, settings } = this.#options;
    const { base, scope, filter } = settings.people;
    const attribute = settings.passwords.verifiers;
    const some = new AndFilter({ filters: [filter, new PresenceFilter({ attribute })] });
    const found = await lookups.ask((directory) =>
      directory.search(base, { scope, filter: some, attributes: [attribute], sizeLimit: SOME, deadline }),
    );
    this.#lookedAt = performance.now();
    for (const entry of found) for (const verifier of this.#verifiersIn(entry)) this.#see(verifier);
  }

  async #read(dn: string, deadline: Deadline): Promise<Entry | undefined> {
    const { lookups, settings } = this.#options;
    const filter = new PresenceFilter({ attribute: 'objectClass' });
    const attributes = [settings.passwords.verifiers];
    const found = await lookups.ask((directory) =>
      directory.search(dn, { scope: 'base', filter, attributes, deadline }),
    );
    return found[0];
  }

  /** A form that others have, always the same one; one more of them is another one for as few as possible. */
  #pretended(account: Jid, hash: ScramHash): Form | undefined {
    const { secret } = this.#options;
    const rank = ({ iterations, saltBytes }: Form) =>
      createHmac('sha256', secret).update(`form\0${iterations}\0${saltBytes}\0${account.bareText}`).digest();
    const forms = this.#seen.get(hash) ?? [];
    return forms.toSorted((one, other) => rank(other).compare(rank(one)))[0];
  }

  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier {
    const { secret, iterations } = this.#options;
    const seen = this.#pretended(account, hash);
    const verifier = falseScramVerifier(secret, account.bareText, hash, seen?.iterations ?? iterations());
    if (seen === undefined) return verifier;
    const salt = createHmac('sha512', secret).update(`salt\0${hash}\0${account.bareText}`).digest();
    return { ...verifier, salt: salt.subarray(0, seen.saltBytes) };
  }
}
