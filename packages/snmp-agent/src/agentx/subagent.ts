import { connect, type Socket } from 'node:net';
import snmp from 'net-snmp';
import { type Oid, oidText } from '../protocol/oid.ts';
import type { Varbind } from '../protocol/requests.ts';
import type { View } from '../protocol/view.ts';
import { answerMaster } from './answer.ts';
import {
  closePayload,
  type MasterPdu,
  openPayload,
  PDU,
  PduFramer,
  readPdu,
  registerPayload,
  responsePayload,
  varbindsPayload,
  writePdu,
} from './pdu.ts';

export interface SubagentOptions {
  /** The path of the master agent's socket, or host:port. */
  readonly master: string;
  readonly description: string;
  readonly view: View;
  /** What is answered here. */
  readonly subtrees: readonly Oid[];
  /** There is a session; `upTime`: the master agent's time, in milliseconds. */
  onUp(upTime: number): void;
  /** There is none: the master agent is away, or does not take us. */
  onDown(error: Error): void;
}

const TIMEOUT_SECONDS = 5;
const PING_MS = 15_000;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 15_000;

const { ObjectType } = snmp;
const SYS_UP_TIME = '1.3.6.1.2.1.1.3.0';
const SNMP_TRAP_OID = '1.3.6.1.6.3.1.1.4.1.0';

/** What the master agent was asked, until it answers. */
interface Question {
  answer(pdu: MasterPdu): void;
  readonly patience: NodeJS.Timeout;
}

/** A subagent (RFC 2741) that answers from a view, and comes back to its master whenever that was away. */
export class Subagent implements Disposable {
  readonly #options: SubagentOptions;
  /** By the number of their packets. */
  readonly #waiting = new Map<number, Question>();
  #socket: Socket | undefined;
  #session = 0;
  #packet = 0;
  #failures = 0;
  #down: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: SubagentOptions) {
    this.#options = options;
    this.#connect();
  }

  #connect(): void {
    const { master } = this.#options;
    const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(master) ?? [];
    const socket =
      host === '' ? connect({ path: master }) : connect({ host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
    this.#socket = socket;
    const framer = new PduFramer();
    let reason: Error = new Error('The master agent has closed the connection.');
    socket.on('connect', () => void this.#begin(socket).catch((error: Error) => socket.destroy(error)));
    socket.on('data', (octets: Buffer) => {
      try {
        for (const pdu of framer.push(octets)) this.#take(readPdu(pdu));
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => {
      reason = error;
    });
    socket.on('close', () => this.#lost(reason));
  }

  async #begin(socket: Socket): Promise<void> {
    const { description, subtrees, onUp } = this.#options;
    this.#session = 0;
    const opened = await this.#ask(PDU.open, openPayload(TIMEOUT_SECONDS, description));
    if (opened.error !== 0)
      throw new Error(`The master agent takes no subagents: it answered with the error ${opened.error}.`);
    this.#session = opened.session;
    for (const subtree of subtrees) {
      const { error } = await this.#ask(PDU.register, registerPayload(subtree));
      if (error !== 0) {
        throw new Error(
          `The master agent does not leave ${oidText(subtree)} to us: it answered with the error ${error}.`,
        );
      }
    }
    this.#failures = 0;
    this.#down = undefined;
    onUp(opened.upTime);
    this.#ping(socket);
  }

  #ping(socket: Socket): void {
    this.#timer = setTimeout(() => {
      this.#ask(PDU.ping, Buffer.alloc(0)).then(
        () => this.#ping(socket),
        () => {}, // the connection is gone, and the next has pings of its own
      );
    }, PING_MS);
  }

  #lost(error: Error): void {
    clearTimeout(this.#timer);
    this.#socket = undefined;
    this.#forget();
    if (this.#ended) return;
    if (this.#down !== error.message) this.#options.onDown(error);
    this.#down = error.message;
    const pause = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  /** Asks the master agent. Never resolves where the connection ends before; that ends with a failure of its own. */
  #ask(type: number, payload: Buffer): Promise<MasterPdu> {
    const packet = ++this.#packet;
    const { promise, resolve: answer } = Promise.withResolvers<MasterPdu>();
    const patience = setTimeout(() => {
      this.#socket?.destroy(new Error('The master agent does not answer.'));
    }, TIMEOUT_SECONDS * 1000);
    this.#waiting.set(packet, { answer, patience });
    this.#socket?.write(writePdu({ type, session: this.#session, transaction: 0, packet }, payload));
    return promise;
  }

  #forget(): void {
    for (const { patience } of this.#waiting.values()) clearTimeout(patience);
    this.#waiting.clear();
  }

  #take(pdu: MasterPdu): void {
    if (pdu.type === PDU.response) {
      const question = this.#waiting.get(pdu.packet);
      this.#waiting.delete(pdu.packet);
      clearTimeout(question?.patience);
      question?.answer(pdu);
      return;
    }
    const answer = answerMaster(pdu, this.#options.view);
    if (answer === undefined) return;
    const header = { ...pdu, type: PDU.response };
    this.#socket?.write(writePdu(header, responsePayload(answer.error, answer.index, answer.varbinds)));
  }

  /** Has the master agent tell its managers; nobody hears it while there is none. */
  notify(oid: string, varbinds: readonly Varbind[], upTime: number): void {
    if (this.#session === 0 || this.#socket === undefined) return;
    const told: Varbind[] = [
      { oid: SYS_UP_TIME, type: ObjectType.TimeTicks, value: upTime },
      { oid: SNMP_TRAP_OID, type: ObjectType.OID, value: oid },
      ...varbinds,
    ];
    void this.#ask(PDU.notify, varbindsPayload(told));
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#forget();
    const header = { type: PDU.close, session: this.#session, transaction: 0, packet: ++this.#packet };
    this.#socket?.end(writePdu(header, closePayload()));
  }
}
