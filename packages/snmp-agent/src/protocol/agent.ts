import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import snmp from 'net-snmp';
import { Access, type CommunitySettings, stockUser, type UserSettings } from './access.ts';
import { readMessageHeader } from './message-header.ts';
import { type Oid, oidText } from './oid.ts';
import { Rate } from './rate.ts';
import { answer, type Request } from './requests.ts';
import { type Statistics, USM_CAUSES, USM_STATS } from './statistics.ts';
import { counter32 } from './value.ts';
import type { View } from './view.ts';

export interface AgentOptions {
  readonly address: string;
  /** 0 takes one that is free. */
  readonly port: number;
  readonly view: View;
  readonly engineId: Buffer;
  /** How often this engine was started (RFC 3414 §2.2.2). */
  readonly engineBoots: number;
  readonly users: readonly UserSettings[];
  readonly communities: readonly CommunitySettings[];
  /** Datagrams a second from one address. */
  readonly perSecond: number;
  onRefused(cause: Refusal, address: string): void;
  onFault(error: unknown): void;
}

export const REFUSALS = [
  'garbage',
  'version',
  'rate',
  'community',
  'operation',
  'level',
  'time',
  'user',
  'engine',
  'authentication',
  'decryption',
] as const;
export type Refusal = (typeof REFUSALS)[number];

// --- the parts of net-snmp's agent that are used here, and that its types leave out ---------------------------------

interface Pdu extends Request {
  varbinds: Request['varbinds'];
  getResponsePduForRequest(): { varbinds: unknown; errorStatus: number; errorIndex: number };
}

interface Message {
  readonly version: number;
  readonly community?: string;
  readonly pdu: Pdu;
  readonly user?: { name: string };
  readonly msgGlobalData?: { msgMaxSize: number; msgFlags: number };
  readonly msgSecurityParameters?: {
    readonly msgAuthoritativeEngineBoots: number;
    readonly msgAuthoritativeEngineTime: number;
  };
  hasAuthentication(): boolean;
  createResponseForRequest(pdu: unknown): Message;
  createReportResponseMessage(engine: unknown, context: string, type: string): Message;
  toBuffer(): Buffer;
}

type Report = Omit<Message, 'user' | 'msgGlobalData' | 'msgSecurityParameters' | 'pdu'> & {
  pdu: { varbinds: object[] };
  user: object;
  msgGlobalData: { msgFlags: number };
  msgSecurityParameters: { msgUserName: string };
};

type Handler = (socket: Socket, message: Message, from: RemoteInfo) => void;

interface StockAgent {
  readonly engine: { engineBoots: number; engineTime: number };
  readonly listener: { send(message: Message, from: RemoteInfo, socket: Socket): void };
  getRequest: Handler;
  setRequest: Handler;
  getNextRequest: Handler;
  getBulkRequest: Handler;
  onProxyRequest: Handler;
  getAuthorizer(): { addUser(user: snmp.User): void; addCommunity(community: string): void };
  onMsg(socket: Socket, datagram: Buffer, from: RemoteInfo): void;
}

// --------------------------------------------------------------------------------------------------------------------

const V3 = 3;
/** Of one datagram that no network has to cut in pieces. */
const MOST_OCTETS = 1472;
/** Octets of a message around its variables, with the padding of encryption. */
const AROUND = 180;
/** RFC 3414 §2.2.3 */
const TIME_WINDOW_SECONDS = 150;
const NOT_IN_TIME_WINDOW = '2';

/**
 * An SNMP agent that answers from a view. net-snmp reads and writes messages, and does RFC 3414's cryptography; what is
 * looked at before it gets a datagram, and what is answered, is decided here.
 */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #access: Access;
  readonly #stock: StockAgent;
  readonly #socket: Socket;
  readonly #rate: Rate;
  readonly #startedAt = performance.now();
  readonly #refused = new Map<Refusal, number>();
  #datagrams = 0;
  /** Whoever asks which engine this is. */
  #discoveries = 0;
  #silentDrops = 0;
  /** Whose datagram net-snmp has now, and what is wrong with it as far as is known. */
  #asking: RemoteInfo | undefined;
  #wrong: Refusal | undefined;

  private constructor(options: AgentOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    this.#rate = new Rate(options.perSecond);
    this.#access = new Access(options.users, options.communities);
    // net-snmp would bind a socket of its own and hand itself whatever comes
    const dgramModule = { createSocket: () => ({ on() {}, bind() {} }) };
    const stockOptions = { engineID: options.engineId.toString('hex'), dgramModule };
    this.#stock = snmp.createAgent(stockOptions as object, (error: Error | null) => {
      if (!error || this.#wrong === 'level' || this.#wrong === 'user') return; // it is counted
      const cause = /Failed to decrypt/.test(error.message) ? 'decryption' : 'authentication';
      this.#refuse(cause, this.#asking?.address ?? '');
    }) as unknown as StockAgent;
    const { engine } = this.#stock;
    engine.engineBoots = options.engineBoots;
    Object.defineProperty(engine, 'engineTime', { get: () => this.engineTime });
    const { listener } = this.#stock;
    // its reports are only right about an engine, and always of the first time
    listener.send = (message, from) => this.#send(this.#told(message as unknown as Report), from);
    const authorizer = this.#stock.getAuthorizer();
    for (const user of options.users) authorizer.addUser(stockUser(user));
    for (const { community } of options.communities) authorizer.addCommunity(community);
    const handle: Handler = (_socket, message, from) => this.#answer(message, from);
    this.#stock.getRequest = handle;
    this.#stock.getNextRequest = handle;
    this.#stock.getBulkRequest = handle;
    this.#stock.setRequest = handle;
    this.#stock.onProxyRequest = () => {}; // there is one context, which has no name
    socket.on('message', (datagram, from) => this.#take(datagram, from));
    socket.on('error', (error) => options.onFault(error));
  }

  /** Resolves when it listens; rejects where it cannot. */
  static async start(options: AgentOptions): Promise<Agent> {
    const socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(options.port, options.address);
    await once(socket, 'listening');
    return new Agent(options, socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Seconds since it was started (RFC 3414 §2.2.2). */
  get engineTime(): number {
    return Math.floor((performance.now() - this.#startedAt) / 1000);
  }

  refused(cause: Refusal): number {
    return this.#refused.get(cause) ?? 0;
  }

  /** What it counts, for itself to show. */
  get statistics(): Statistics {
    return {
      datagrams: this.#datagrams,
      silentDrops: this.#silentDrops,
      engineId: this.#options.engineId,
      engineBoots: this.#options.engineBoots,
      engineTime: this.engineTime,
      mostOctets: MOST_OCTETS,
      refused: (cause) => this.refused(cause) + (cause === 'engine' ? this.#discoveries : 0),
    };
  }

  #take(datagram: Buffer, from: RemoteInfo): void {
    this.#datagrams++;
    const refusal = this.#refusalOf(datagram, from.address);
    if (refusal !== undefined) this.#refuse(refusal, from.address);
    // who has the name of no user, or asks for less security, is told so
    if (refusal !== undefined && refusal !== 'user' && refusal !== 'level') return;
    this.#asking = from;
    this.#wrong = refusal;
    try {
      this.#stock.onMsg(this.#socket, datagram, from);
    } catch {
      this.#refuse('garbage', from.address);
    }
    this.#asking = undefined;
  }

  #refusalOf(datagram: Buffer, address: string): Refusal | undefined {
    if (!this.#rate.take(address)) return 'rate';
    const header = readMessageHeader(datagram);
    if (typeof header === 'string') return header;
    if (header.version !== V3) {
      return this.#access.community(header.community, address) === undefined ? 'community' : undefined;
    }
    // net-snmp makes a key for every engine that somebody names, and keeps it for ever
    const { engineId, user, secured } = header;
    if (engineId.length === 0) {
      if (user !== '') return 'engine';
      this.#discoveries++;
      return undefined;
    }
    if (!engineId.equals(this.#options.engineId)) return 'engine';
    if (!this.#access.users.has(user)) return 'user';
    return secured ? undefined : 'level';
  }

  #refuse(cause: Refusal, address: string): void {
    this.#refused.set(cause, this.refused(cause) + 1);
    this.#options.onRefused(cause, address);
  }

  #answer(message: Message, from: RemoteInfo): void {
    const subtrees = this.#subtrees(message, from);
    if (subtrees === undefined || !this.#isTimely(message, from)) return;
    const most = message.version === V3 ? (message.msgGlobalData?.msgMaxSize ?? 484) : MOST_OCTETS;
    const room = Math.min(MOST_OCTETS, Math.max(484, most)) - AROUND; // RFC 3412 §6: everybody takes 484
    const made = answer(message.pdu, this.#options.view, { version: message.version, subtrees, room });
    if (made === undefined) return;
    if (message.version !== V3 && message.pdu.type === snmp.PduType.SetRequest) {
      this.#refuse('operation', from.address); // RFC 3418, snmpInBadCommunityUses
    }
    const response = message.pdu.getResponsePduForRequest();
    response.varbinds = made.varbinds;
    response.errorStatus = made.errorStatus;
    response.errorIndex = made.errorIndex;
    this.#send(message.createResponseForRequest(response), from);
  }

  #subtrees({ version, community, user }: Message, { address }: RemoteInfo): readonly Oid[] | undefined {
    if (version !== V3) return this.#access.community(community ?? '', address)?.subtrees;
    return this.#access.users.get(user?.name ?? '')?.subtrees;
  }

  /** Whether it was sent lately, to this start of this engine (RFC 3414 §3.2 7a); else the asker is told the time. */
  #isTimely(message: Message, from: RemoteInfo): boolean {
    if (message.version !== V3) return true;
    const { msgAuthoritativeEngineBoots, msgAuthoritativeEngineTime } = message.msgSecurityParameters ?? {};
    const late = Math.abs((msgAuthoritativeEngineTime ?? 0) - this.engineTime) > TIME_WINDOW_SECONDS;
    if (msgAuthoritativeEngineBoots === this.#options.engineBoots && !late) return true;
    this.#refuse('time', from.address);
    this.#wrong = 'time';
    const stock = message.createReportResponseMessage(this.#stock.engine, '', NOT_IN_TIME_WINDOW);
    const report = this.#told(stock as unknown as Report);
    // authenticated, so that the asker may believe the time that it tells
    report.user = { ...message.user, level: snmp.SecurityLevel.authNoPriv };
    report.msgSecurityParameters.msgUserName = message.user?.name ?? '';
    report.msgGlobalData.msgFlags = 1;
    this.#send(report, from);
    return false;
  }

  /** A report with the counter that tells what was wrong, as it is now (RFC 3414 §3.2). */
  #told(report: Report): Report {
    const place = USM_CAUSES.indexOf(this.#wrong ?? 'engine');
    const value = this.statistics.refused(USM_CAUSES[place] as Refusal);
    report.pdu.varbinds = [{ oid: oidText([...USM_STATS, place + 1, 0]), ...counter32(value) }];
    return report;
  }

  #send(message: Pick<Message, 'toBuffer'>, { port, address }: RemoteInfo): void {
    const octets = message.toBuffer();
    if (octets.length > MOST_OCTETS) {
      this.#silentDrops++;
      return;
    }
    this.#socket.send(octets, port, address, (error) => {
      if (error !== null) this.#options.onFault(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
