import { declareKeys } from '@parley/keyspace/key-declaration';

export const moveKeys = declareKeys({
  name: 'account-moves',
  scope: 'global',
  type: 'hash',
  content: 'former address of an account → where it moves to, and how far that has come, as JSON',
  bound: 'the moves that are not done yet',
  ttl: 'none',
});

export const moverKeys = declareKeys({
  name: 'account-mover',
  scope: 'global',
  type: 'string',
  content: 'who moves accounts just now',
  bound: 'one',
  ttl: '15 s',
});

/** Set aside under names of their own, so that nothing is added to them any more and nobody else finds them. */
export const movingKeys = declareKeys({
  name: 'moving',
  parts: ['name'],
  type: 'any',
  content: 'what was kept under the key of this name for an account that gets another address; at `#` which move it is',
  bound: 'those of the account, until it has moved',
  ttl: 'none',
});

export const arrivingKeys = declareKeys({
  name: 'arriving',
  type: 'hash',
  content: '# → which move brings the account what it had at its former address; name of a key → how much of it came',
  bound: 'one field for each kind of key, until all has come',
  ttl: 'none',
});

/** The field, and the name, that stands for the move itself. */
export const MARK = '#';
