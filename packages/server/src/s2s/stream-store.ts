import { partition } from '@parley/keyspace/key';
import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { defineOperation } from '@parley/keyspace/operation';
import { serialDistance } from '@parley/xmpp/serial';

export const incomingStreamKeys = declareKeys({
  name: 'incoming-stream',
  scope: 'partition',
  parts: ['stream id'],
  type: 'string',
  content:
    'a stream that another server began and can resume (XEP-0198): how many nodes have had it, the one that has it, the ' +
    'stanzas that are done with, and the seconds within which it can be resumed, with spaces between them',
  bound: '`federation.resumption.maxStreams` for each node',
  ttl: 'these seconds and half of them again; once the stream is over, these seconds',
});

/** How far a stream has come. */
export interface StreamRecord {
  /** 16 hexadecimal digits. */
  readonly sid: string;
  /** Counts the nodes that have had it: who has an old one can write nothing. */
  readonly epoch: number;
  /** Stanzas that are done with, modulo 2^32. */
  readonly handled: number;
  /** Within so many seconds it can be resumed. */
  readonly seconds: number;
}

/** A node tells anew of a stream that is open long before this is over. */
const OPEN_MS_PER_SECOND = 1500;
const OVER_MS_PER_SECOND = 1000;

const RECORD = /^(\d+) ([0-9a-f]+) (\d+) (\d+)$/;

// The keys and arguments of each are told in its Lua file.

const keepStream = defineOperation<boolean>({
  name: 'keep-stream',
  lua: new URL('./keep-stream.lua', import.meta.url),
  js(view, [stream = ''], args) {
    const [epoch = '', owner = '', handled = '', seconds = '', milliseconds = ''] = args.map(String);
    let count = handled;
    const [, keptEpoch, keptOwner, keptHandled = ''] = RECORD.exec(String(view.get(stream) ?? '')) ?? [];
    if (keptEpoch !== undefined) {
      if (Number(keptEpoch) > Number(epoch) || (keptEpoch === epoch && keptOwner !== owner)) return 0;
      if (keptEpoch === epoch && serialDistance(Number(handled), Number(keptHandled)) < 0) count = keptHandled;
    }
    if (milliseconds === '0') view.del(stream);
    else view.set(stream, `${epoch} ${owner} ${count} ${seconds}`, { px: Number(milliseconds) });
    return 1;
  },
  result: (reply) => reply === 1,
});

const claimStream = defineOperation<Omit<StreamRecord, 'sid'> | undefined>({
  name: 'claim-stream',
  lua: new URL('./claim-stream.lua', import.meta.url),
  js(view, [stream = ''], [owner, perSecond]) {
    const [, epoch, , handled, seconds] = RECORD.exec(String(view.get(stream) ?? '')) ?? [];
    if (epoch === undefined) return false;
    const px = Number(seconds) * Number(perSecond);
    view.set(stream, `${Number(epoch) + 1} ${owner} ${handled} ${seconds}`, { px });
    return [Number(epoch) + 1, Number(handled), Number(seconds)];
  },
  result(reply) {
    if (reply === null) return undefined;
    const [epoch, handled, seconds] = reply as [number, number, number];
    return { epoch, handled, seconds };
  },
});

const keyOf = (sid: string) => incomingStreamKeys.key(String(partition(sid)), sid);

/** What the keyspace has of streams that other servers began and can resume. All may be done twice. */
export class StreamStore {
  readonly #keyspace: Keyspace;
  /** The id of this node. */
  readonly owner: string;

  constructor(keyspace: Keyspace, owner: string) {
    this.#keyspace = keyspace;
    this.owner = owner;
  }

  /** Takes down how far a stream of this node has come. False where another node has it. */
  keep({ sid, epoch, handled, seconds }: StreamRecord, open: boolean): Promise<boolean> {
    const milliseconds = seconds * (open ? OPEN_MS_PER_SECOND : OVER_MS_PER_SECOND);
    return this.#keyspace.call(keepStream, [keyOf(sid)], [epoch, this.owner, handled, seconds, milliseconds]);
  }

  /** Nobody is to resume it. False where another node has it. */
  forget({ sid, epoch, handled, seconds }: StreamRecord): Promise<boolean> {
    return this.#keyspace.call(keepStream, [keyOf(sid)], [epoch, this.owner, handled, seconds, 0]);
  }

  /** Takes it over as it is, from whoever has it. Undefined where there is no such stream. */
  async claim(sid: string): Promise<StreamRecord | undefined> {
    const claimed = await this.#keyspace.call(claimStream, [keyOf(sid)], [this.owner, OPEN_MS_PER_SECOND]);
    return claimed && { sid, ...claimed };
  }

  /** The id of the node that has it, or had it last; undefined where there is no such stream. */
  async ownerOf(sid: string): Promise<string | undefined> {
    return RECORD.exec(String((await this.#keyspace.get(keyOf(sid))) ?? ''))?.[2];
  }
}
