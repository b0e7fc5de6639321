import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { BerError } from '../../packages/server/src/auth/ldap/connection/ber.ts';
import { AdSession } from './active-directory-session.ts';

export type AdValues = Record<string, string | readonly string[]>;

export interface AdOptions {
  /** Speaks TLS from the first byte on; PEM. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** As a real one: passwords are changed over TLS only. */
  readonly changeOverTlsOnly?: boolean;
}

export interface AdEntry {
  dn: string;
  /** As binary as in objectGUID. */
  readonly guid: Buffer;
  password: string;
  /** By name as Active Directory writes it. */
  readonly values: Map<string, Buffer[]>;
  deleted: boolean;
}

/** Bits of userAccountControl. */
export const ACCOUNT_DISABLED = 2;
const NORMAL_ACCOUNT = 512;
const NEVER = '9223372036854775807';

/** Time as Active Directory counts it: steps of 100 ns since 1601. */
export const adTime = (at: Date | number): string => String((BigInt(Number(at)) + 11_644_473_600_000n) * 10_000n);

/**
 * Something that answers as Active Directory does where that is unlike others: bind errors with their sub-codes, binary
 * ids, userAccountControl, change notification, DirSync, unicodePwd, long attributes in ranges. It knows what the tests
 * ask of it and no more.
 */
export class ActiveDirectory {
  static readonly base = 'DC=example,DC=org';
  static readonly people = `OU=People,${ActiveDirectory.base}`;
  /** The account of the server. */
  static readonly service = { dn: `CN=xmpp,CN=Users,${ActiveDirectory.base}`, password: 'service secret' };
  readonly options: AdOptions;
  readonly entries = new Map<string, AdEntry>();
  readonly sessions = new Set<AdSession>();
  /** uSNChanged of the newest change. */
  usn = 1000;
  /** Everything it answers to searches; `away` has it say nothing at all. */
  away = false;
  readonly #server: Server;

  private constructor(options: AdOptions) {
    this.options = options;
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server = options.tls ? createTlsServer(options.tls, serve) : createServer(serve);
    const { dn, password } = ActiveDirectory.service;
    this.#put(dn, { sAMAccountName: 'xmpp', userPrincipalName: 'xmpp@example.org' }, password);
  }

  /** Ends with the test. */
  static async start(options: AdOptions = {}): Promise<ActiveDirectory> {
    const directory = new ActiveDirectory(options);
    directory.#server.listen(0, '127.0.0.1');
    await once(directory.#server, 'listening');
    onTestFinished(() => directory.end());
    return directory;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.options.tls ? 'ldaps' : 'ldap'}://localhost:${this.port}`;
  }

  /** Somebody in OU=People, with mail, sAMAccountName and userPrincipalName; `values` come on top. */
  addPerson(name: string, values: AdValues = {}, password = `pw-${name}`): AdEntry {
    const own = {
      objectClass: ['top', 'person', 'organizationalPerson', 'user'],
      objectCategory: `CN=Person,CN=Schema,CN=Configuration,${ActiveDirectory.base}`,
      cn: name,
      sn: 'Capulet',
      displayName: name,
      mail: `${name}@example.org`,
      sAMAccountName: name,
      userPrincipalName: `${name}@example.org`,
      primaryGroupID: '513',
    };
    return this.#put(`CN=${name},${ActiveDirectory.people}`, { ...own, ...values }, password);
  }

  /** `number`: the last one of its SID, by which people have it as their primary group. */
  addGroup(name: string, members: readonly string[], number?: number): AdEntry {
    const member = members.map((each) => (each.includes('=') ? each : `CN=${each},${ActiveDirectory.people}`));
    const own = { objectClass: ['top', 'group'], cn: name, sAMAccountName: name, member };
    return this.#put(`CN=${name},OU=Groups,${ActiveDirectory.base}`, own, '', number);
  }

  /** Sets values of an entry, by its name or DN, and takes those away that are empty. */
  change(name: string, values: AdValues): void {
    const entry = this.find(name);
    this.#set(entry, values);
    this.#changed(entry);
  }

  disable(name: string): void {
    this.change(name, { userAccountControl: String(NORMAL_ACCOUNT | ACCOUNT_DISABLED) });
  }

  enable(name: string): void {
    this.change(name, { userAccountControl: String(NORMAL_ACCOUNT) });
  }

  rename(name: string, to: string): void {
    const entry = this.find(name);
    entry.dn = `CN=${to},${ActiveDirectory.people}`;
    this.#set(entry, { cn: to, name: to, distinguishedName: entry.dn });
    this.#changed(entry);
  }

  /** What is left is a tombstone with hardly anything in it. */
  remove(name: string): void {
    const entry = this.find(name);
    entry.dn = `CN=${name}\\0ADEL:${entry.guid.toString('hex')},CN=Deleted Objects,${ActiveDirectory.base}`;
    entry.deleted = true;
    for (const each of [...entry.values.keys()]) {
      if (!['objectGUID', 'objectClass', 'uSNCreated'].includes(each)) entry.values.delete(each);
    }
    this.#set(entry, { isDeleted: 'TRUE', distinguishedName: entry.dn });
    this.#changed(entry);
  }

  /** Throws where there is none. */
  find(name: string): AdEntry {
    const found = this.lookUp(name);
    if (found === undefined) throw new Error(`There is no ${name} in the directory.`);
    return found;
  }

  /** By name, DN, user principal name or DOMAIN\name. */
  lookUp(name: string): AdEntry | undefined {
    const wanted = name.replace(/^[^\\=]+\\/, '').toLowerCase();
    const names = ['sAMAccountName', 'userPrincipalName'];
    return this.entries
      .values()
      .find(
        ({ dn, deleted, values }) =>
          !deleted &&
          [dn, ...names.map((each) => String(values.get(each)?.[0]))].some((each) => each.toLowerCase() === wanted),
      );
  }

  /** Cuts every connection, as a restart does. */
  cut(): void {
    for (const session of this.sessions) session.destroy();
  }

  async end(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  setPassword(entry: AdEntry, password: string): void {
    entry.password = password;
    this.#set(entry, {
      pwdLastSet: adTime(Date.now()),
      expiredPassword: [],
      'msDS-UserPasswordExpiryTimeComputed': [],
    });
    this.#changed(entry);
  }

  #put(dn: string, values: AdValues, password: string, number = 1000 + this.entries.size): AdEntry {
    const guid = randomBytes(16);
    const binary = new Map([
      ['objectGUID', [guid]],
      ['objectSid', [sid(number)]],
    ]);
    const entry: AdEntry = { dn, guid, password, deleted: false, values: binary };
    this.entries.set(guid.toString('hex'), entry);
    this.#set(entry, {
      distinguishedName: dn,
      userAccountControl: String(NORMAL_ACCOUNT),
      accountExpires: NEVER,
      lockoutTime: '0',
      pwdLastSet: adTime(Date.now()),
      whenCreated: stamp(),
      uSNCreated: String(this.usn + 1),
      ...values,
    });
    this.#changed(entry);
    return entry;
  }

  #set({ values }: AdEntry, changes: AdValues): void {
    for (const [name, given] of Object.entries(changes)) {
      const all = typeof given === 'string' ? [given] : given;
      if (all.length === 0) values.delete(name);
      else
        values.set(
          name,
          all.map((each) => Buffer.from(each)),
        );
    }
  }

  #changed(entry: AdEntry): void {
    this.usn++;
    this.#set(entry, { uSNChanged: String(this.usn), whenChanged: stamp() });
    for (const session of this.sessions) session.notify(entry);
  }

  #serve(socket: Socket): void {
    const session = new AdSession(this, socket, socket instanceof TLSSocket);
    this.sessions.add(session);
    socket.on('error', () => {});
    socket.on('close', () => this.sessions.delete(session));
    socket.on('data', (bytes: Buffer) => {
      try {
        session.receive(bytes);
      } catch (error) {
        if (!(error instanceof BerError)) throw error;
        session.destroy();
      }
    });
  }
}

/** S-1-5-21-1-2-3 and a number. */
function sid(number: number): Buffer {
  const bytes = Buffer.from('010500000000000515000000010000000200000003000000ffffffff', 'hex');
  bytes.writeUInt32LE(number, bytes.length - 4);
  return bytes;
}

const stamp = () =>
  new Date()
    .toISOString()
    .replace(/[-:T]|\.\d+/g, '')
    .replace('Z', '.0Z');
