import { setTimeout as pause } from 'node:timers/promises';
import { AdministrationError } from '@parley/server/admin/administration-error';
import type {
  AccountPiece,
  DataAdministration,
  Existing,
  PieceOutcome,
} from '@parley/server/admin/data-administration';
import { NS } from '@parley/xmpp/namespaces';
import type { Place } from './portable-file.ts';

/** Characters of XML that are sent together. */
const PIECE = 262_144;

/** Whoever is asked may be busy, or without its store: attempts, and the milliseconds between them. */
const ATTEMPTS = 20;
const PAUSE_MS = 1000;

export interface AccountSource {
  readonly jid: string;
  readonly place: Place;
  readonly password: string | undefined;
}

export interface Problem {
  readonly place: Place;
  readonly text: string;
}

/** Sends one account, in as many pieces as it takes. */
export class AccountSender {
  readonly source: AccountSource;
  readonly #data: DataAdministration;
  readonly #existing: Existing;
  readonly #onProblem: (problem: Problem) => void;
  #parts: { text: string; place: Place }[] = [];
  #messages: string[] = [];
  #messagesAt: Place;
  #size = 0;
  #first = true;
  #skipped: PieceOutcome | undefined;

  constructor(
    source: AccountSource,
    data: DataAdministration,
    existing: Existing,
    onProblem: (problem: Problem) => void,
  ) {
    this.source = source;
    this.#data = data;
    this.#existing = existing;
    this.#onProblem = onProblem;
    this.#messagesAt = source.place;
  }

  /** So much waits that it is to be sent before more is read. */
  get full(): boolean {
    return this.#size > PIECE;
  }

  part(text: string, place: Place): void {
    this.#endMessages();
    this.#parts.push({ text, place });
    this.#size += text.length;
  }

  message(text: string, place: Place): void {
    if (this.#messages.length === 0) this.#messagesAt = place;
    this.#messages.push(text);
    this.#size += text.length;
  }

  /** Something of it cannot be sent. */
  problem(text: string, place: Place): void {
    this.#onProblem({ place, text });
  }

  #endMessages(): void {
    if (this.#messages.length === 0) return;
    const text = `<offline-messages xmlns='${NS.portable}'>${this.#messages.join('')}</offline-messages>`;
    this.#parts.push({ text, place: this.#messagesAt });
    this.#messages = [];
  }

  /** Sends what waits. Throws an AdministrationError where the account cannot be taken. */
  async send(last: boolean): Promise<PieceOutcome> {
    this.#endMessages();
    const parts = this.#parts;
    const { jid, password } = this.source;
    this.#parts = [];
    this.#size = 0;
    if (this.#skipped !== undefined) return this.#skipped;
    const outcome = await this.#attempt({
      jid,
      existing: this.#existing,
      first: this.#first,
      last,
      ...(password !== undefined && this.#first && { password }),
      parts: parts.map(({ text }) => text),
    });
    this.#first = false;
    if (outcome.done === 'skipped') this.#skipped = outcome;
    for (const { part, text } of outcome.problems) {
      this.#onProblem({ place: parts[part]?.place ?? this.source.place, text });
    }
    return outcome;
  }

  async #attempt(piece: AccountPiece): Promise<PieceOutcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#data.import(piece);
      } catch (error) {
        const waits = error instanceof AdministrationError && error.failure === 'unavailable';
        if (!waits || attempt === ATTEMPTS) throw error;
        await pause(PAUSE_MS);
      }
    }
  }
}
