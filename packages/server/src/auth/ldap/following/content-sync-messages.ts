import { type BerWriter, Control } from 'ldapts';
import {
  BER,
  BerError,
  BerSequence,
  berBoolean,
  berElements,
  berEncode,
  berEncodeBoolean,
  berEncodeInteger,
  berOnly,
} from '../connection/ber.ts';
import { type LdapMessage, readIntermediate } from '../connection/message.ts';

/** Object identifiers of RFC 4533 §2. */
export const SYNC = {
  request: '1.3.6.1.4.1.4203.1.9.1.1',
  state: '1.3.6.1.4.1.4203.1.9.1.2',
  done: '1.3.6.1.4.1.4203.1.9.1.3',
  info: '1.3.6.1.4.1.4203.1.9.1.4',
} as const;

/** resultCode: what changed since the cookie is not known any more (§3). */
export const SYNC_REFRESH_REQUIRED = 4096;

const REFRESH_AND_PERSIST = 3;

/** Asks for everything that has changed since the cookie, and for what changes from then on (§2.2). */
export class SyncRequestControl extends Control {
  readonly #cookie: Buffer | undefined;

  constructor(cookie: Buffer | undefined) {
    super(SYNC.request, { critical: true });
    this.#cookie = cookie;
  }

  override writeControl(writer: BerWriter): void {
    const value = berEncode(
      BER.sequence,
      berEncodeInteger(REFRESH_AND_PERSIST, BER.enumerated),
      ...(this.#cookie === undefined ? [] : [berEncode(BER.octetString, this.#cookie)]),
      berEncodeBoolean(false),
    );
    writer.writeBuffer(value, BER.octetString);
  }
}

const STATES = ['present', 'add', 'modify', 'delete'] as const;

/** What comes with an entry (§2.3). */
export interface EntryState {
  readonly state: (typeof STATES)[number];
  readonly entryUuid: string;
  readonly cookie: Buffer | undefined;
}

export function readEntryState({ controls }: LdapMessage): EntryState {
  const value = controls.get(SYNC.state);
  if (value === undefined) throw new BerError('an entry without the state that it is in');
  const parts = new BerSequence(berOnly(value, BER.sequence));
  const state = STATES[parts.integer(BER.enumerated)];
  if (state === undefined) throw new BerError('an entry in a state that there is not');
  return { state, entryUuid: uuid(parts.take(BER.octetString)), cookie: parts.optional(BER.octetString) };
}

/** What comes between entries (§2.5). */
export type SyncInfo =
  | { readonly kind: 'cookie'; readonly cookie: Buffer }
  | {
      readonly kind: 'refresh-delete' | 'refresh-present';
      readonly cookie: Buffer | undefined;
      readonly done: boolean;
    }
  | {
      readonly kind: 'ids';
      readonly cookie: Buffer | undefined;
      readonly deleted: boolean;
      readonly entryUuids: readonly string[];
    };

/** Undefined for what is of another kind. */
export function readSyncInfo(message: LdapMessage): SyncInfo | undefined {
  const { name, value } = readIntermediate(message);
  if (name !== SYNC.info) return undefined;
  const [element] = berElements(value);
  if (element === undefined) throw new BerError('a message about synchronisation without content');
  const { tag, content } = element;
  if (tag === 0x80) return { kind: 'cookie', cookie: content };
  const parts = new BerSequence(content);
  const cookie = parts.optional(BER.octetString);
  const flag = parts.optional(BER.boolean);
  if (tag === 0xa1 || tag === 0xa2) {
    const done = flag === undefined || berBoolean(flag);
    return { kind: tag === 0xa1 ? 'refresh-delete' : 'refresh-present', cookie, done };
  }
  if (tag !== 0xa3) throw new BerError('a message about synchronisation of a kind that there is not');
  const entryUuids = [...berElements(parts.take(BER.set))].map((each) => uuid(each.content));
  return { kind: 'ids', cookie, deleted: flag !== undefined && berBoolean(flag), entryUuids };
}

function uuid(bytes: Buffer): string {
  if (bytes.length !== 16) throw new BerError('an entryUUID that is none');
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
