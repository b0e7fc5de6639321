import type { Log } from '../log.ts';
import { type AuditEntry, type AuditedAct, actOf, kindOf } from './audit-entry.ts';
import { AuditQueue, type Sink } from './audit-queue.ts';
import { EntryRate } from './entry-rate.ts';

/** A way that entries go. */
export interface AuditWay {
  /** For people. */
  readonly where: string;
  readonly sink: Sink;
  format(entry: AuditEntry): Buffer;
}

export interface AuditOptions {
  readonly node: string;
  readonly ways: readonly AuditWay[];
  /** Entries of one kind that others can cause, in a second. */
  readonly perSecond: number;
  /** What may wait on each way. */
  readonly maxWaitingBytes: number;
}

interface Output {
  readonly where: string;
  readonly queue: AuditQueue;
  format(entry: AuditEntry): Buffer;
  /** Lost entries that the stream itself has told of. */
  told: number;
}

const PATIENCE_MS = 2000;

/** Who did what, when, from where, and whether they could: beside the log, for those who have to answer for it. */
export class Audit {
  /** The name of the node. */
  node: string;
  readonly #outputs: readonly Output[];
  readonly #rate: EntryRate;
  #log: Log | undefined;
  #sequence = 0;

  constructor({ node, ways, perSecond, maxWaitingBytes: mostBytes }: AuditOptions) {
    this.node = node;
    this.#outputs = ways.map(({ sink, where, format }) => {
      const onTrouble = (error: Error | undefined) => this.#onTrouble(output, error);
      const output: Output = { where, format, told: 0, queue: new AuditQueue({ sink, mostBytes, onTrouble }) };
      return output;
    });
    this.#rate = new EntryRate(perSecond, (event, omitted) => this.#omitted(event, omitted));
  }

  /** An event of the log has happened; what the audit stream does not tell is passed over. */
  record(event: string, fields: Readonly<Record<string, unknown>>): void {
    const act = actOf(event, fields);
    if (act !== undefined && this.#rate.admits(event, kindOf(event, fields))) this.#write(act);
  }

  /** Where it tells that it cannot be written. */
  reportTo(log: Log): void {
    this.#log = log;
  }

  /** Entries that were made. */
  get entries(): number {
    return this.#sequence;
  }

  /** Entries that one of the outputs did not get. */
  get dropped(): number {
    return this.#outputs.reduce((sum, { queue }) => sum + queue.dropped, 0);
  }

  /** Entries that wait to be written. */
  get waiting(): number {
    return this.#outputs.reduce((sum, { queue }) => sum + queue.waiting, 0);
  }

  /** The file may have been moved away. */
  reopen(): void {
    for (const { queue } of this.#outputs) queue.reopen();
  }

  /** Writes what can be written at once: the process dies. */
  flush(): void {
    this.#rate.close();
    for (const { queue } of this.#outputs) queue.flush();
  }

  /** Tells what was left out, and lets go of everything when it is written or nobody has taken it for a while. */
  async close(): Promise<void> {
    this.#rate.close();
    await Promise.all(this.#outputs.map(({ queue }) => queue.close(PATIENCE_MS)));
  }

  #onTrouble(output: Output, error: Error | undefined): void {
    const { where, queue } = output;
    if (error !== undefined) {
      this.#log?.error('audit.away', { where, error, message: AWAY });
      return;
    }
    const lost = queue.dropped - output.told;
    output.told = queue.dropped;
    this.#log?.warn('audit.back', { where, lost });
    if (lost > 0) this.#write({ ...NOBODY, event: 'audit.lost', reason: `${lost} entries could not be written` });
  }

  #omitted(kind: string, omitted: number): void {
    this.#write({ ...NOBODY, event: 'audit.omitted', subject: kind, reason: `${omitted} entries were left out` });
  }

  #write(act: AuditedAct): void {
    const { event, ...about } = act;
    const time = new Date().toISOString();
    const entry = { time, process: process.pid, sequence: ++this.#sequence, node: this.node, event, ...about };
    for (const { queue, format } of this.#outputs) queue.write(format(entry));
  }
}

const AWAY = 'Entries wait, and are dropped when too many do.';
const NOBODY = { outcome: 'failure', actor: '', address: '', subject: '', reason: '' } as const;
