import type { Stored } from './stored-value.ts';

/**
 * The ways in which the state changes, each of one key. Memory carries them out, the log writes them down. They are
 * effects, not commands, so that doing them again needs no clock and no chance. Values are byte strings; an expiry is
 * in milliseconds since 1970, 0 for none.
 */
export interface Effects {
  put(key: string, stored: Stored, expiry: number): void;
  drop(key: string): void;
  expire(key: string, expiry: number): void;
  hashSet(key: string, field: string, value: string): void;
  hashDelete(key: string, field: string): void;
  listPush(key: string, value: string): void;
  listSet(key: string, index: number, value: string): void;
  listShift(key: string, count: number): void;
  setAdd(key: string, member: string): void;
  setDelete(key: string, member: string): void;
  sortedSet(key: string, member: string, score: number): void;
  sortedDelete(key: string, member: string): void;
}

const nothing = () => {};

export const noEffects: Effects = {
  put: nothing,
  drop: nothing,
  expire: nothing,
  hashSet: nothing,
  hashDelete: nothing,
  listPush: nothing,
  listSet: nothing,
  listShift: nothing,
  setAdd: nothing,
  setDelete: nothing,
  sortedSet: nothing,
  sortedDelete: nothing,
};
