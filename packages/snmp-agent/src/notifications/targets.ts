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

/** One manager to whom notices go. */
export class Target {
  readonly settings: TargetSettings;
  readonly #session: snmp.Session;
  readonly #onFailure: (target: TargetSettings, error: Error) => void;
  #waiting = 0;

  constructor(settings: TargetSettings, engineId: Buffer, onFailure: (target: TargetSettings, error: Error) => void) {
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
      engineID: engineId.toString('hex'),
    } as const;
    this.#session =
      typeof as === 'string'
        ? snmp.createSession(host, as, { ...options, version: snmp.Version2c })
        : snmp.createV3Session(host, stockUser(as), { ...options, version: snmp.Version3 });
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
