import { isIPv6 } from 'node:net';
import snmp from 'net-snmp';
import { stockUser, type UserSettings } from '../protocol/access.ts';
import type { Varbind } from '../protocol/requests.ts';

export interface TargetSettings {
  readonly host: string;
  readonly port: number;
  /** SNMPv3 as this user, or SNMPv2c with this community. */
  readonly as: Omit<UserSettings, 'subtrees'> | string;
  /** It acknowledges each, or gets it again. */
  readonly inform: boolean;
}

export interface Notice {
  /** The OID of the notification. */
  readonly oid: string;
  readonly varbinds: readonly Varbind[];
  /** Hundredths of a second, as sysUpTime tells. */
  readonly upTime: number;
}

const RETRIES = 5;
const TIMEOUT_MS = 2000;
/** Notices that wait for the acknowledgement of one manager. */
const MOST_WAITING = 100;

/** The engine that traps are from, and its clock (RFC 3414 §2.2). */
export interface TrapEngine {
  readonly id: Buffer;
  readonly boots: number;
  /** Seconds since it was started, asked each time. */
  time(): number;
}

/** What net-snmp has made of a notice, and sends; its types leave that out. */
interface Sending {
  readonly message: {
    readonly pdu: { readonly type: number };
    readonly msgSecurityParameters?: { msgAuthoritativeEngineBoots: number; msgAuthoritativeEngineTime: number };
  };
}

/** One manager to whom notices go. */
export class Target {
  readonly settings: TargetSettings;
  readonly #session: snmp.Session;
  readonly #onFailure: (target: TargetSettings, error: Error) => void;
  #waiting = 0;

  constructor(settings: TargetSettings, engine: TrapEngine, onFailure: (target: TargetSettings, error: Error) => void) {
    const { host, port, as } = settings;
    this.settings = settings;
    this.#onFailure = onFailure;
    const options = {
      trapPort: port,
      port,
      retries: RETRIES,
      timeout: TIMEOUT_MS,
      backoff: 1.5,
      transport: isIPv6(host) ? 'udp6' : 'udp4',
      engineID: engine.id.toString('hex'),
    } as const;
    this.#session =
      typeof as === 'string'
        ? snmp.createSession(host, as, { ...options, version: snmp.Version2c })
        : snmp.createV3Session(host, stockUser(as), { ...options, version: snmp.Version3 });
    if (typeof as !== 'string') timeTraps(this.#session, engine);
    this.#session.on('error', (error: Error) => onFailure(settings, error));
  }

  tell({ oid, varbinds, upTime }: Notice): void {
    if (this.#waiting >= MOST_WAITING) {
      this.#onFailure(this.settings, new Error('Too many notifications wait for it to acknowledge them.'));
      return;
    }
    this.#waiting++;
    const told = (error: Error | null) => {
      this.#waiting--;
      if (error) this.#onFailure(this.settings, error);
    };
    const list = varbinds as unknown as snmp.Varbind[];
    if (this.settings.inform) this.#session.inform(oid, list, { upTime }, told);
    else this.#session.trap(oid, list, { upTime }, told);
  }

  close(): void {
    this.#session.close();
  }
}

/**
 * The engine that a trap is from is authoritative (RFC 3412 §6, RFC 3414 §2.1): its time goes into the message, where net-snmp
 * writes 0, before that is encrypted and signed. Of informs the manager's engine is.
 */
function timeTraps(session: snmp.Session, engine: TrapEngine): void {
  const sending = session as unknown as { send(request: Sending, once: boolean): unknown };
  const send = sending.send.bind(session);
  sending.send = (request, once) => {
    const { pdu, msgSecurityParameters: security } = request.message;
    if (security !== undefined && pdu.type === snmp.PduType.TrapV2) {
      security.msgAuthoritativeEngineBoots = engine.boots;
      security.msgAuthoritativeEngineTime = engine.time();
    }
    return send(request, once);
  };
}
