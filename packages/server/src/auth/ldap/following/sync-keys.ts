import { partition } from '@parley/keyspace/key';
import { declareKeys } from '@parley/keyspace/key-declaration';

export const personKeys = declareKeys({
  name: 'person',
  parts: ['directory'],
  type: 'hash',
  content:
    'what is known of a person in a directory: id, dn, state (JSON), changed (milliseconds since 1970), epoch (the lease of whoever told)',
  bound: 'five fields; goes when the person does',
  ttl: 'none',
});

export const personIdKeys = declareKeys({
  name: 'person-ids',
  scope: 'global',
  parts: ['directory', 'shard'],
  type: 'hash',
  content: 'id of a person → address, DN, state; and next, the address to come, while that is written (JSON)',
  bound: 'the people of the directory, in 64 hashes',
  ttl: 'none',
});

export const personFormerKeys = declareKeys({
  name: 'person-former',
  parts: ['directory'],
  type: 'string',
  content: 'the id of the person of a directory who had this address, once they are not there any more',
  bound: 'one id',
  ttl: '400 days after they went',
});

export const directoryLeaseKeys = declareKeys({
  name: 'directory-lease',
  scope: 'global',
  parts: ['directory'],
  type: 'hash',
  content: 'the node that follows a directory (holder), until when (milliseconds since 1970), its number (epoch)',
  bound: 'three fields',
  ttl: 'none',
});

export const directoryStateKeys = declareKeys({
  name: 'directory-sync',
  scope: 'global',
  parts: ['directory', 'what'],
  type: 'hash',
  content: 'how far a directory was followed: cookie, what it is of (shape), completed, held (milliseconds since 1970)',
  bound: 'four fields for what is followed',
  ttl: 'none',
});

export const ID_SHARDS = 64;

/** The hash in which an id is. */
export const personIdKey = (directory: string, id: string): string =>
  personIdKeys.key(directory, String(partition(id) % ID_SHARDS));
