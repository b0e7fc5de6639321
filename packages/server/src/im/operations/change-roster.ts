import { defineOperation } from '@parley/keyspace/operation';

/** The field of a roster that holds its version and the version of its last removal; no address is like it. */
export const HEAD = '#';

const OUTCOMES = ['stale', 'done', 'items', 'requests'] as const;

export interface RosterOutcome {
  /** `stale`: the contact is not what the caller knew; `items`, `requests`: there are as many as there may be. */
  readonly outcome: (typeof OUTCOMES)[number];
  /** The roster's version where it is done; otherwise 0. */
  readonly version: number;
}

/** The version and the version of the last removal, of what the field HEAD holds. */
export function readHead(head: Buffer | undefined): [version: number, removalVersion: number] {
  const [version, removal] = head === undefined ? [0, 0] : head.toString().split(' ').map(Number);
  return [version as number, removal as number];
}

/** Changes one contact where it still is what the caller knows of it. Its keys and arguments are in the Lua file. */
export const changeRoster = defineOperation<RosterOutcome>({
  name: 'change-roster',
  lua: new URL('./change-roster.lua', import.meta.url),
  js(view, [roster = '', requests = ''], args) {
    const [contact = '', known, knownWaits, item = '', request = '', maxItems, maxRequests] = args.map(String);
    const kept = view.hget(roster, contact);
    const version = kept === undefined ? '' : kept.toString('latin1', 0, kept.indexOf(0));
    const waits = view.hget(requests, contact) === undefined ? '0' : '1';
    if (version !== known || waits !== knownWaits) return [0, 0];

    const head = view.hget(roster, HEAD);
    let [last, removal] = readHead(head);
    const sets = item !== '' && item !== '-';
    const asks = request !== '' && request !== '-';
    if (sets && kept === undefined) {
      const items = view.hlen(roster) - (head === undefined ? 0 : 1);
      if (items >= Number(maxItems)) return [2, 0];
    }
    if (asks && waits === '0' && view.hlen(requests) >= Number(maxRequests)) return [3, 0];

    if (item !== '') {
      last = Math.max(last + 1, view.now());
      if (sets) {
        view.hset(roster, [[contact, `${last}\0${item}`]]);
      } else {
        view.hdel(roster, contact);
        removal = last;
      }
      view.hset(roster, [[HEAD, `${last} ${removal}`]]);
    }
    if (asks) view.hset(requests, [[contact, request]]);
    else if (request === '-') view.hdel(requests, contact);
    return [1, last];
  },
  result(reply) {
    const [outcome, version] = reply as [number, number];
    return { outcome: OUTCOMES[outcome] as RosterOutcome['outcome'], version };
  },
});
