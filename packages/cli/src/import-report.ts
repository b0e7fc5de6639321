import type { PieceOutcome } from '@parley/server/admin/data-administration';
import { printable } from '@parley/server/printable';
import { counted } from './counted.ts';
import type { Place } from './portable-file.ts';

/** Problems that are told one by one, and sorts of them: there may be as many as there are accounts. */
const MOST_TOLD = 1000;
const MOST_FOREIGN = 50;

const DONE: readonly (readonly [PieceOutcome['done'], string])[] = [
  ['begun', 'made'],
  ['added', 'here before; what was missing is added'],
  ['replaced', 'here before; replaced by what the file says'],
  ['skipped', 'here before; left alone (--existing merge or replace takes them, too)'],
];

/** What an import has come to, for whoever runs it. */
export class ImportReport {
  readonly #counts = new Map<PieceOutcome['done'], number>();
  readonly #told: string[] = [];
  readonly #foreign = new Map<string, { times: number; readonly first: string }>();
  #untold = 0;
  #onlySha1 = 0;
  #unable = 0;
  #elsewhere = 0;
  failed = 0;

  /** Of all accounts. */
  get accounts(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, this.failed);
  }

  done({ done, hashes, elsewhere }: PieceOutcome): void {
    this.#counts.set(done, (this.#counts.get(done) ?? 0) + 1);
    if (elsewhere) this.#elsewhere++;
    if (hashes === undefined) return;
    if (hashes.length === 0) this.#unable++;
    else if (!hashes.includes('SHA-256') && !hashes.includes('SHA-512')) this.#onlySha1++;
  }

  problem(place: Place, account: string, text: string): string {
    const line = `${where(place)}: ${printable(account)}: ${printable(text)}`;
    if (this.#told.length < MOST_TOLD) this.#told.push(line);
    else this.#untold++;
    return line;
  }

  foreign(what: string, place: Place): void {
    const known = this.#foreign.get(what);
    if (known !== undefined) known.times++;
    else if (this.#foreign.size < MOST_FOREIGN) this.#foreign.set(what, { times: 1, first: where(place) });
  }

  /** For standard error: all that was not taken, and what to do about it. */
  *problems(): Generator<string> {
    for (const [what, { times, first }] of this.#foreign) {
      yield `${first}: ${printable(what)} is nothing that Parley keeps, and is left out (${counted(times, 'time')}).`;
    }
    yield* this.#told;
    if (this.#untold > 0) yield `… and ${this.#untold} more of these.`;
  }

  /** For standard output. */
  *summary(): Generator<string> {
    for (const [done, words] of DONE) {
      const count = this.#counts.get(done) ?? 0;
      if (count > 0) yield `${counted(count, 'account')}: ${words}`;
    }
    if (this.failed > 0) yield `${counted(this.failed, 'account')}: not taken, see above`;
    if (this.accounts === 0) yield 'There is no account in it.';
    if (this.#elsewhere > 0) {
      yield `${counted(this.#elsewhere, 'account')} of these are in a directory, and so are their passwords: those of the file are not taken.`;
    }
    if (this.#unable > 0) {
      yield `${counted(this.#unable, 'account')} came without a password that can be used: set one (parley account passwd).`;
    }
    if (this.#onlySha1 > 0) {
      yield `${counted(this.#onlySha1, 'account')} can log in by SCRAM-SHA-1 or PLAIN alone until their passwords are changed or PLAIN was used once. While there are some, offer their clients nothing else: authentication.mechanisms: [SCRAM-SHA-1, PLAIN].`;
    }
  }
}

const where = ({ file, line }: Place): string => `${printable(file)}:${line}`;
