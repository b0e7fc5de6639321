import type { Socket } from 'node:net';
import {
  BER,
  type BerElement,
  BerSequence,
  berElements,
  berEncode,
  berEncodeInteger,
} from '../../packages/server/src/auth/ldap/connection/ber.ts';
import { type LdapMessage, RESPONSE, readMessage } from '../../packages/server/src/auth/ldap/connection/message.ts';
import { MessageFramer } from '../../packages/server/src/auth/ldap/connection/message-framer.ts';
import type { ActiveDirectory, AdEntry } from './active-directory.ts';
import { type AnswerControl, entryAnswer, resultAnswer } from './ldap-answers.ts';
import { matches } from './ldap-filter.ts';

const REQUEST = { bind: 0x60, unbind: 0x42, search: 0x63, modify: 0x66, abandon: 0x50, extended: 0x77 };
const CONTROL = {
  paged: '1.2.840.113556.1.4.319',
  notification: '1.2.840.113556.1.4.528',
  dirSync: '1.2.840.113556.1.4.841',
  showDeleted: '1.2.840.113556.1.4.417',
};
const MECHANISMS = ['GSSAPI', 'GSS-SPNEGO', 'EXTERNAL', 'DIGEST-MD5'];
/** MaxValRange of Active Directory's default policy. */
const MOST_VALUES = 1500;
/** MaxPageSize of it. */
const MOST_ENTRIES = 1000;
const NOT_BOUND: [number, string] = [
  1,
  '000004DC: LdapErr: DSID-0C090A5C, comment: a successful bind must be completed first, data 0\0',
];

/** What follows `data` in the text of a refused bind. */
function refusal(entry: AdEntry | undefined, password: string): string | undefined {
  if (entry === undefined) return '525';
  const number = (name: string) => BigInt(String(entry.values.get(name)?.[0] ?? 0));
  const now = (BigInt(Date.now()) + 11_644_473_600_000n) * 10_000n;
  if (number('lockoutTime') !== 0n) return '775';
  if (password !== entry.password) return '52e';
  if ((number('userAccountControl') & 2n) !== 0n) return '533';
  if (number('accountExpires') !== 0n && number('accountExpires') < now) return '701';
  if (entry.values.has('expiredPassword')) return '532';
  return number('pwdLastSet') === 0n ? '773' : undefined;
}

interface Search {
  readonly id: number;
  readonly base: string;
  readonly scope: number;
  readonly filter: BerElement;
  readonly attributes: readonly string[];
  readonly controls: ReadonlyMap<string, Buffer>;
}

/** One connection to it. */
export class AdSession {
  readonly #directory: ActiveDirectory;
  readonly #socket: Socket;
  readonly #encrypted: boolean;
  readonly #framer = new MessageFramer(10_000_000);
  readonly #watched = new Map<number, Search>();
  #who: AdEntry | undefined;

  constructor(directory: ActiveDirectory, socket: Socket, encrypted: boolean) {
    this.#directory = directory;
    this.#socket = socket;
    this.#encrypted = encrypted;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  receive(bytes: Buffer): void {
    for (const each of this.#framer.push(bytes)) if (!this.#directory.away) this.#answer(readMessage(each));
  }

  /** Change notification: the entry as it is now, to whoever watches its place. */
  notify(entry: AdEntry): void {
    if (this.#directory.away) return;
    for (const search of this.#watched.values()) {
      if (entry.deleted && !search.controls.has(CONTROL.showDeleted)) continue;
      if (within(entry.dn, search)) this.#sendEntry(search, entry);
    }
  }

  #answer(message: LdapMessage): void {
    const { id, operation, content } = message;
    if (operation === REQUEST.bind) this.#bind(id, content);
    else if (operation === REQUEST.search) this.#search(readSearch(message));
    else if (operation === REQUEST.modify) this.#modify(id, content);
    else if (operation === REQUEST.abandon) this.#watched.delete(content.readIntBE(0, content.length));
    else if (operation === REQUEST.extended) this.#result(id, RESPONSE.extended, 2, 'Unknown extended request OID');
    else this.destroy();
  }

  #result(id: number, operation: number, code = 0, text = '', controls: readonly AnswerControl[] = []): void {
    this.#socket.write(resultAnswer(id, operation, { code, diagnostic: text, controls }));
  }

  #bind(id: number, content: Buffer): void {
    const parts = new BerSequence(content);
    parts.integer();
    const name = parts.text();
    const password = parts.optional(0x80)?.toString();
    this.#who = undefined;
    if (password === undefined) this.#result(id, RESPONSE.bind, 7, '00002027: LdapErr: unknown mechanism');
    else if (password === '')
      this.#result(id, RESPONSE.bind); // an unauthenticated bind succeeds
    else {
      const entry = this.#directory.lookUp(name);
      const data = refusal(entry, password);
      if (data === undefined) this.#who = entry;
      const text = `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, v4563\0`;
      this.#result(id, RESPONSE.bind, data === undefined ? 0 : 49, data === undefined ? '' : text);
    }
  }

  #search(search: Search): void {
    const { id, base, scope, controls, filter } = search;
    const done = (code: number, text = '') => this.#result(id, RESPONSE.searchDone, code, text);
    if (base === '' && scope === 0) {
      this.#socket.write(entryAnswer(id, '', rootDse(this.#directory)));
      done(0);
    } else if (this.#who === undefined) done(...NOT_BOUND);
    else if (controls.has(CONTROL.dirSync)) this.#dirSync(search);
    else if (!controls.has(CONTROL.notification)) this.#list(search);
    else if (filter.tag !== 0x87) done(53, '00002120: SvcErr: problem 5003 (WILL_NOT_PERFORM), data 0\0');
    else this.#watched.set(id, search);
  }

  #list(search: Search): void {
    const { id, controls } = search;
    const shown = (entry: AdEntry) => !entry.deleted || controls.has(CONTROL.showDeleted);
    const found = [...this.#directory.entries.values()].filter(
      (entry) => shown(entry) && within(entry.dn, search) && fits(entry, search),
    );
    const paged = controls.get(CONTROL.paged);
    if (paged === undefined) {
      for (const entry of found.slice(0, MOST_ENTRIES)) this.#sendEntry(search, entry);
      this.#result(id, RESPONSE.searchDone, found.length > MOST_ENTRIES ? 4 : 0);
      return;
    }
    const parts = new BerSequence(new BerSequence(paged).take(BER.sequence));
    const size = parts.integer();
    const from = Number(parts.text());
    for (const entry of found.slice(from, from + size)) this.#sendEntry(search, entry);
    const next = from + size < found.length ? String(from + size) : '';
    const value = berEncode(BER.sequence, berEncodeInteger(0), berEncode(BER.octetString, next));
    this.#result(id, RESPONSE.searchDone, 0, '', [{ oid: CONTROL.paged, value }]);
  }

  /** What has changed since the cookie, and the next cookie. */
  #dirSync(search: Search): void {
    const parts = new BerSequence(new BerSequence(search.controls.get(CONTROL.dirSync) as Buffer).take(BER.sequence));
    parts.integer();
    parts.integer();
    const since = Number(parts.text());
    for (const entry of this.#directory.entries.values()) {
      const changed = Number(entry.values.get('uSNChanged')?.[0]) > since;
      if (changed && fits(entry, search)) this.#sendEntry(search, entry);
    }
    const value = berEncode(
      BER.sequence,
      berEncodeInteger(0),
      berEncodeInteger(0),
      berEncode(BER.octetString, String(this.#directory.usn)),
    );
    this.#result(search.id, RESPONSE.searchDone, 0, '', [{ oid: CONTROL.dirSync, value }]);
  }

  #sendEntry({ id, attributes }: Search, { dn, values }: AdEntry): void {
    const asked = attributes.map((name) => name.toLowerCase());
    const all = asked.length === 0 || asked.includes('*');
    const sent: [string, readonly Buffer[]][] = [];
    for (const [name, each] of values) {
      const range = asked
        .map((one) => /^([^;]+);range=(\d+)-/.exec(one))
        .find((one) => one?.[1] === name.toLowerCase());
      if (!all && !asked.includes(name.toLowerCase()) && !range) continue;
      const from = Number(range?.[2] ?? 0);
      const some = each.slice(from, from + MOST_VALUES);
      const last = from + some.length >= each.length ? '*' : String(from + some.length - 1);
      if (each.length > MOST_VALUES || range) sent.push([name, []], [`${name};range=${from}-${last}`, some]);
      else sent.push([name, some]);
    }
    this.#socket.write(entryAnswer(id, dn, sent));
  }

  #modify(id: number, content: Buffer): void {
    const parts = new BerSequence(content);
    const entry = this.#directory.lookUp(parts.text());
    const done = (code = 0, text = '') => this.#result(id, RESPONSE.modify, code, text);
    const changes = [...berElements(parts.take(BER.sequence))].map(readChange);
    const password = changes.filter(({ name }) => name.toLowerCase() === 'unicodepwd');
    if (this.#who === undefined) done(...NOT_BOUND);
    else if (entry === undefined) done(32, '0000208D: NameErr: DSID-03100241, problem 2001 (NO_OBJECT), data 0\0');
    else if (password.length > 0) done(...this.#changePassword(entry, password));
    else {
      for (const { name, values } of changes) this.#directory.change(entry.dn, { [name]: values.map(String) });
      done();
    }
  }

  /** A reset replaces it; a change takes the old one away and adds the new one. */
  #changePassword(entry: AdEntry, changes: readonly Change[]): [number, string] {
    const { changeOverTlsOnly = false } = this.#directory.options;
    const unwilling: [number, string] = [
      53,
      '0000001F: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0\0',
    ];
    if (changeOverTlsOnly && !this.#encrypted) return unwilling;
    const plain = ({ values: [value] }: Change) => /^"(.*)"$/s.exec(value?.toString('utf16le') ?? '')?.[1];
    const old = changes.find(({ how }) => how === 1);
    const next = changes.find(({ how }) => how !== 1);
    const password = next && plain(next);
    if (password === undefined) return unwilling;
    const violation = (cause: string): [number, string] => [
      19,
      `${cause}: AtrErr: DSID-03191083, #1:\n\t0: ${cause}: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)\0`,
    ];
    if (old !== undefined && plain(old) !== entry.password) return violation('00000056');
    if (password.length < 7) return violation('0000052D');
    this.#directory.setPassword(entry, password);
    return [0, ''];
  }
}

interface Change {
  /** 0 add, 1 delete, 2 replace. */
  readonly how: number;
  readonly name: string;
  readonly values: readonly Buffer[];
}

function readChange({ content }: BerElement): Change {
  const parts = new BerSequence(content);
  const how = parts.integer(BER.enumerated);
  const attribute = new BerSequence(parts.take(BER.sequence));
  const name = attribute.text();
  return { how, name, values: [...berElements(attribute.take(BER.set))].map((each) => each.content) };
}

function readSearch({ id, content, controls }: LdapMessage): Search {
  const parts = new BerSequence(content);
  const base = parts.text();
  const scope = parts.integer(BER.enumerated);
  parts.take(BER.enumerated);
  parts.integer();
  parts.integer();
  parts.take(BER.boolean);
  const [filter, attributes] = parts.rest();
  if (filter === undefined || attributes === undefined) throw new Error('A search without a filter came.');
  const names = [...berElements(attributes.content)].map((each) => each.content.toString());
  return { id, base, scope, filter, attributes: names, controls };
}

function within(dn: string, { base, scope }: Search): boolean {
  const [own, root] = [dn.toLowerCase(), base.toLowerCase()];
  if (scope === 0) return own === root;
  if (scope === 1) return own.replace(/^(?:\\.|[^,\\])*,/, '') === root;
  return own === root || own.endsWith(`,${root}`);
}

function fits({ values }: AdEntry, { filter }: Search): boolean {
  return matches(filter, new Map(values.entries().map(([name, each]) => [name.toLowerCase(), each])));
}

function rootDse({ usn }: ActiveDirectory): [string, string[]][] {
  const base = 'DC=example,DC=org';
  return [
    ['defaultNamingContext', [base]],
    ['rootDomainNamingContext', [base]],
    ['namingContexts', [base, `CN=Configuration,${base}`]],
    ['dnsHostName', ['dc1.example.org']],
    ['dsServiceName', [`CN=NTDS Settings,CN=DC1,CN=Servers,CN=Sites,CN=Configuration,${base}`]],
    ['highestCommittedUSN', [String(usn)]],
    ['supportedLDAPVersion', ['3', '2']],
    ['supportedControl', Object.values(CONTROL)],
    ['supportedSASLMechanisms', MECHANISMS],
    ['supportedCapabilities', ['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1670']],
  ];
}
