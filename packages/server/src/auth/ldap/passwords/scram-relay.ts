import { createHmac, randomBytes } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { ScramRelay } from '@parley/xmpp/sasl/mechanism';
import type { ScramHash } from '@parley/xmpp/sasl/scram-verifier';
import { SaslError } from '@parley/xmpp/sasl-error';
import { ExtendedRequest } from 'ldapts';
import { AccountsAway, AccountsBusy } from '../../authenticator.ts';
import { type BindResult, SASL_BIND_IN_PROGRESS, type SaslStep } from '../connection/raw-connection.ts';
import type { Deadline } from '../directory.ts';
import { NOT_NOW } from '../directory-error.ts';
import type { Person } from '../person.ts';

/** RFC 4532 */
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';
/** The client has so long to answer a challenge. */
const CLIENT_MS = 20_000;
/** Exchanges under way on this node: each has a connection to the directory. */
const MOST_EXCHANGES = 256;
/** Connections that wait for the next exchange, since to make one costs more than all else; and for how long. */
const MOST_IDLE = 8;
const IDLE_MS = 30_000;

/** What the relay does with a connection of its own (a RawConnection). */
export interface SaslConnection {
  readonly isOpen: boolean;
  bind(step: SaslStep): Promise<BindResult>;
  extended(request: ExtendedRequest): Promise<{ readonly code: number; readonly value: Buffer | undefined }>;
  close(): void;
  destroy(reason: string): void;
}

/** What the relay needs of a directory. */
export interface RelayHost {
  deadline(): Deadline;
  /** The person whose account this is. */
  find(account: Jid, deadline: Deadline): Promise<Person | undefined>;
  /** Whether the entry with this name is this person. */
  isPerson(dn: string, person: Person, deadline: Deadline): Promise<boolean>;
  /** A connection that is encrypted and belongs to nobody. */
  open(deadline: Deadline): Promise<SaslConnection>;
}

/** How the challenges of the directory look, so that pretended ones do, too. */
interface Form {
  readonly saltBytes: number;
  readonly iterations: number;
  readonly nonceLength: number;
}

/** Those of Cyrus SASL, until the directory has made one. */
const CYRUS: Record<ScramHash, Form> = {
  'SHA-1': { saltBytes: 20, iterations: 4096, nonceLength: 32 },
  'SHA-256': { saltBytes: 32, iterations: 4096, nonceLength: 32 },
  'SHA-512': { saltBytes: 64, iterations: 4096, nonceLength: 32 },
};

/**
 * Has the directory speak SCRAM: it gets what the client says as it is, on a connection of its own. The name that the
 * client gives there has to lead the directory to the very person whose account it is. Somebody unknown is challenged in
 * the same way, as long as it takes, and fails at the end.
 */
export class ScramRelays {
  readonly #host: RelayHost;
  readonly #secret: Buffer;
  readonly #forms = { ...CYRUS };
  /** Each with what ends it. */
  readonly #idle: { readonly connection: SaslConnection; readonly timer: NodeJS.Timeout }[] = [];
  #running = 0;

  constructor(host: RelayHost, secret: Buffer) {
    this.#host = host;
    this.#secret = secret;
  }

  get running(): number {
    return this.#running;
  }

  begin(account: Jid, hash: ScramHash): ScramRelay {
    return new Relay(this.#host, account, hash, {
      enter: () => {
        if (this.#running >= MOST_EXCHANGES) throw new AccountsBusy();
        this.#running++;
      },
      leave: () => void this.#running--,
      idle: () => this.#takeIdle(),
      done: (connection) => this.#keep(connection),
      challenged: (challenge, nonce) => this.#learn(hash, challenge, nonce),
      pretend: (nonce) => this.#pretend(account, hash, nonce),
    });
  }

  #takeIdle(): SaslConnection | undefined {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined) return undefined;
      clearTimeout(idle.timer);
      if (idle.connection.isOpen) return idle.connection;
    }
  }

  /** Whoever binds on it next is nobody else any more. */
  #keep(connection: SaslConnection): void {
    if (this.#idle.length >= MOST_IDLE || !connection.isOpen) {
      connection.close();
      return;
    }
    const timer = setTimeout(() => {
      this.#idle.splice(
        this.#idle.findIndex((idle) => idle.connection === connection),
        1,
      );
      connection.close();
    }, IDLE_MS).unref();
    this.#idle.push({ connection, timer });
  }

  #learn(hash: ScramHash, challenge: string, clientNonce: string): void {
    const [, nonce, salt, count] = /^r=([^,]+),s=([^,]+),i=([0-9]+)/.exec(challenge) ?? [];
    if (nonce === undefined || salt === undefined) return;
    this.#forms[hash] = {
      saltBytes: Buffer.from(salt, 'base64').length,
      iterations: Number(count),
      nonceLength: nonce.length - clientNonce.length,
    };
  }

  /** The same salt for the same account each time, as the directory does it. */
  #pretend(account: Jid, hash: ScramHash, clientNonce: string): string {
    const { saltBytes, iterations, nonceLength } = this.#forms[hash];
    const drawn = createHmac('sha512', this.#secret).update(`${hash}\0${account.bareText}`).digest();
    const salt = Buffer.concat([drawn, createHmac('sha512', this.#secret).update(drawn).digest()]).subarray(
      0,
      saltBytes,
    );
    const nonce = randomBytes(nonceLength).toString('base64').slice(0, nonceLength);
    return `r=${clientNonce}${nonce},s=${salt.toString('base64')},i=${iterations}`;
  }
}

interface Surroundings {
  /** Throws AccountsBusy. */
  enter(): void;
  leave(): void;
  /** A connection that was used before. */
  idle(): SaslConnection | undefined;
  /** The connection is of use to others. */
  done(connection: SaslConnection): void;
  challenged(challenge: string, clientNonce: string): void;
  pretend(clientNonce: string): string;
}

class Relay implements ScramRelay {
  readonly #host: RelayHost;
  readonly #account: Jid;
  readonly #mechanism: string;
  readonly #around: Surroundings;
  #person: Person | undefined;
  #connection: SaslConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The directory goes on with the exchange; otherwise the challenge was pretended. */
  #real = false;
  #over = false;

  constructor(host: RelayHost, account: Jid, hash: ScramHash, around: Surroundings) {
    this.#host = host;
    this.#account = account;
    this.#mechanism = `SCRAM-${hash}`;
    this.#around = around;
  }

  async first(message: string): Promise<string> {
    const clientNonce = /,r=([^,]*)/.exec(message)?.[1] ?? '';
    const deadline = this.#host.deadline();
    this.#around.enter();
    this.#timer = setTimeout(() => this.#end(), CLIENT_MS).unref();
    try {
      this.#person = await this.#host.find(this.#account, deadline);
      const { code, credentials } = await this.#begin(message, deadline);
      const challenge = credentials?.toString() ?? '';
      this.#real = code === SASL_BIND_IN_PROGRESS && challenge.startsWith(`r=${clientNonce}`);
      if (!this.#real) return this.#around.pretend(clientNonce);
      this.#around.challenged(challenge, clientNonce);
      return challenge;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** What the directory has closed meanwhile says nothing about how it is now. */
  async #begin(message: string, deadline: Deadline): Promise<BindResult> {
    this.#connection = this.#around.idle();
    if (this.#connection !== undefined) {
      try {
        return await this.#bind(message, deadline);
      } catch (error) {
        if (this.#connection.isOpen) throw error;
      }
    }
    this.#connection = await this.#host.open(deadline);
    return this.#bind(message, deadline);
  }

  async final(message: string): Promise<string> {
    const connection = this.#connection;
    if (connection === undefined || this.#over) throw new SaslError('not-authorized');
    const deadline = this.#host.deadline();
    let done = false;
    try {
      // as many questions for somebody unknown
      const proof = this.#real ? await this.#prove(message, deadline) : undefined;
      const who = await this.#whoIsThere(deadline);
      done = true;
      const person = this.#person;
      if (proof === undefined || person === undefined || who === undefined) throw new SaslError('not-authorized');
      if (who !== person.dn && !(await this.#host.isPerson(who, person, deadline))) {
        throw new SaslError('not-authorized');
      }
      return proof;
    } finally {
      this.#end(done);
    }
  }

  /** The server's proof; undefined where the client's is wrong. */
  async #prove(message: string, deadline: Deadline): Promise<string | undefined> {
    let { code, credentials } = await this.#bind(message, deadline);
    const proof = credentials?.toString();
    // some say that it was right only when the client has nothing more to say
    if (code === SASL_BIND_IN_PROGRESS && proof?.startsWith('v=')) ({ code } = await this.#bind('', deadline));
    return code === 0 && proof?.startsWith('v=') ? proof : undefined;
  }

  /** The name of the entry whose proof was right. */
  async #whoIsThere(deadline: Deadline): Promise<string | undefined> {
    const { code, value } = await this.#inTime(deadline, (connection) =>
      connection.extended(new ExtendedRequest({ messageId: 0, oid: WHO_AM_I })),
    );
    const text = value?.toString() ?? '';
    return code === 0 && text.startsWith('dn:') ? text.slice(3) : undefined;
  }

  async #bind(credentials: string, deadline: Deadline): Promise<BindResult> {
    const step = { mechanism: this.#mechanism, credentials };
    const result = await this.#inTime(deadline, (connection) => connection.bind(step));
    if (NOT_NOW.has(result.code)) throw new AccountsAway();
    return result;
  }

  async #inTime<T>(deadline: Deadline, ask: (connection: SaslConnection) => Promise<T>): Promise<T> {
    const connection = this.#connection as SaslConnection;
    const late = setTimeout(() => connection.destroy('it did not answer in time'), deadline - performance.now());
    try {
      return await ask(connection);
    } catch (cause) {
      throw new AccountsAway({ cause });
    } finally {
      clearTimeout(late);
    }
  }

  /** `done`: the exchange is at its end, and the connection good for another one. */
  #end(done = false): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#connection !== undefined) {
      if (done) this.#around.done(this.#connection);
      else this.#connection.close();
    }
    this.#around.leave();
  }
}
