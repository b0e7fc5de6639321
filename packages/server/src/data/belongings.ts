import { isUtf8 } from 'node:buffer';
import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import { accountKeys } from '../auth/account-store.ts';
import { personFormerKeys, personKeys } from '../auth/ldap/following/sync-keys.ts';
import { learntVerifierKeys } from '../auth/ldap/passwords/learnt-verifiers.ts';
import { arrivingKeys, MARK, movingKeys } from '../auth/moves/move-keys.ts';
import { sessionKeys } from '../session/resumption/resumption-keys.ts';

export interface Belonging {
  readonly name: string;
  readonly type: Keys['type'];
  readonly key: string;
}

/** Every key under which something of an account may be kept. */
export function belongingsOf(
  { bareText }: Jid,
  modules: readonly { readonly keys?: readonly Keys[] }[],
  directories: readonly string[],
): Belonging[] {
  const own = [accountKeys, learntVerifierKeys, sessionKeys, arrivingKeys, ...modules.flatMap(({ keys = [] }) => keys)];
  const plain = [...new Set(own)].filter(
    ({ scope = 'account', parts = [] }) => scope === 'account' && parts.length === 0,
  );
  const all = plain.map(({ name, type, key }) => ({ name, type, key: key(bareText) }));
  for (const { name, type } of plain) all.push({ name: `moving ${name}`, type, key: movingKeys.key(bareText, name) });
  all.push({ name: 'moving', type: 'string', key: movingKeys.key(bareText, MARK) });
  for (const directory of directories) {
    for (const { name, type, key } of [personKeys, personFormerKeys]) {
      all.push({ name: `${name} ${directory}`, type, key: key(bareText, directory) });
    }
  }
  return all;
}

/** What is kept under a key, for people to read; undefined where that is nothing. */
export async function readable(keyspace: Keyspace, { type, key }: Belonging): Promise<unknown> {
  switch (type) {
    case 'hash': {
      const fields = await keyspace.hgetall(key);
      return fields.size === 0
        ? undefined
        : Object.fromEntries([...fields].map(([name, value]) => [name, text(value)]));
    }
    case 'list':
      return some(await keyspace.lrange(key, 0, -1));
    case 'set':
      return some(await keyspace.smembers(key));
    case 'sorted set':
      return some((await keyspace.zrangebyscore(key, { min: -Infinity, max: Infinity })).map(({ member }) => member));
    default: {
      const value = await keyspace.get(key);
      return value === undefined ? undefined : text(value);
    }
  }
}

const some = (values: readonly Buffer[]) => (values.length === 0 ? undefined : values.map(text));

const text = (value: Buffer): string | { base64: string } =>
  isUtf8(value) ? value.toString().replaceAll('\0', ' | ') : { base64: value.toString('base64') };
