import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, it } from 'vitest';
import { PrivateStore } from './private-store.ts';

const hamlet = Jid.parse('hamlet@shakespeare.lit');
const limits = { maxBytes: 100, maxNamespaces: 3 };
let store: PrivateStore;
const set = (texts: Record<string, string>, most = limits) => store.set(hamlet, new Map(Object.entries(texts)), most);

beforeEach(async () => {
  store = new PrivateStore((await openKeyspace('embedded::memory:')).keyspace);
});

it('keeps texts by account and namespace', async () => {
  expect(await set({ 'urn:a': 'one', 'urn:b': 'zwölf' })).toBe('done');
  expect(await store.get(hamlet.withResource('denmark'), 'urn:b')).toBe('zwölf');
  expect(await store.get(hamlet, 'urn:c')).toBeUndefined();
  expect(await store.get(Jid.parse('macbeth@shakespeare.lit'), 'urn:a')).toBeUndefined();
});

it('takes away by an empty text', async () => {
  await set({ 'urn:a': 'one', 'urn:b': 'two' });
  expect(await set({ 'urn:a': '', 'urn:c': '' })).toBe('done');
  expect(await store.get(hamlet, 'urn:a')).toBeUndefined();
  expect(await store.get(hamlet, 'urn:b')).toBe('two');
});

it('changes nothing where the whole would be too large', async () => {
  await set({ 'urn:a': 'a'.repeat(60) });
  expect(await set({ 'urn:a': '', 'urn:b': 'b'.repeat(96) })).toBe('too-large'); // 5 for the namespace itself
  expect(await set({ 'urn:b': 'b'.repeat(30), 'urn:c': 'x' })).toBe('too-large');
  expect(await store.get(hamlet, 'urn:b')).toBeUndefined();
  expect(await set({ 'urn:a': '', 'urn:b': 'b'.repeat(95) })).toBe('done');
});

it('counts bytes, not characters', async () => {
  expect(await set({ 'urn:a': 'é'.repeat(48) })).toBe('too-large');
  expect(await set({ 'urn:a': 'é'.repeat(47) })).toBe('done');
});

it('changes nothing where there would be too many namespaces', async () => {
  await set({ 'urn:a': 'a', 'urn:b': 'b' });
  expect(await set({ 'urn:c': 'c', 'urn:d': 'd' })).toBe('too-many');
  expect(await store.get(hamlet, 'urn:c')).toBeUndefined();
  expect(await set({ 'urn:c': 'c', 'urn:d': 'd', 'urn:a': '' })).toBe('done');
});

it('lets what is beyond limits that were lowered shrink', async () => {
  await set({ 'urn:a': 'a'.repeat(50), 'urn:b': 'b', 'urn:c': 'c' });
  const lower = { maxBytes: 10, maxNamespaces: 1 };
  expect(await set({ 'urn:a': 'a'.repeat(40) }, lower)).toBe('done');
  expect(await set({ 'urn:a': 'a'.repeat(41) }, lower)).toBe('too-large');
  expect(await set({ 'urn:b': '' }, lower)).toBe('done');
  expect(await set({ 'urn:c': 'C' }, lower)).toBe('done');
});

it('has namespaces that would be names of a plain object', async () => {
  await set({ constructor: 'x' });
  expect(await store.get(hamlet, '__proto__')).toBeUndefined();
  expect(await store.get(hamlet, 'constructor')).toBe('x');
});
