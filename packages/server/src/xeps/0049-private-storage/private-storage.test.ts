import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../../../../tests/support/server.ts';
import module from './private-storage.ts';

const query = (content: string) => `<query xmlns='${NS.private}'>${content}</query>`;
const start = (options: Record<string, unknown> = {}) =>
  startServer({ modules: [module], config: { modules: { 'private-storage': options } } as never });
const hamlet = async (options?: Record<string, unknown>) => (await start(options)).client('hamlet@localhost/denmark');

it('gives back what was stored under a namespace, by whatever name it is asked for', async () => {
  const client = await hamlet();
  const stored = `<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>`;
  expect((await client.request('set', query(stored))).attr('type')).toBe('result');
  expect(String((await client.request('get', query(`<exodus xmlns='exodus:prefs'/>`))).firstChild)).toBe(query(stored));
  expect(String((await client.request('get', query(`<any xmlns='exodus:prefs'/>`))).firstChild)).toBe(query(stored));
});

it('gives back the question where nothing is stored', async () => {
  const client = await hamlet();
  const asked = query(`<storage xmlns='storage:bookmarks'/>`);
  expect(String((await client.request('get', asked)).firstChild)).toBe(asked);
});

it('keeps several elements of one namespace together and replaces them together', async () => {
  const client = await hamlet();
  const ask = async () => (await client.request('get', query(`<a xmlns='urn:x'/>`))).firstChild?.elements;
  await client.request('set', query(`<a xmlns='urn:x'>1</a><b xmlns='urn:y'>2</b><c xmlns='urn:x'>3</c>`));
  expect((await ask())?.map(({ name, text }) => name + text)).toEqual(['a1', 'c3']);
  await client.request('set', query(`<c xmlns='urn:x'>4</c>`));
  expect((await ask())?.map(({ name, text }) => name + text)).toEqual(['c4']);
  expect((await client.request('get', query(`<b xmlns='urn:y'/>`))).firstChild?.firstChild?.text).toBe('2');
});

it('forgets what is replaced by an empty element', async () => {
  const client = await hamlet({ maxNamespaces: 1 });
  await client.request('set', query(`<a xmlns='urn:x'>1</a>`));
  await client.request('set', query(`<a xmlns='urn:x'/>`));
  expect((await client.request('set', query(`<a xmlns='urn:y' kept='yes'/>`))).attr('type')).toBe('result');
  expect((await client.request('get', query(`<a xmlns='urn:y'/>`))).firstChild?.firstChild?.attr('kept')).toBe('yes');
});

describe('refuses', () => {
  const refused = async (type: 'get' | 'set', content: string) =>
    (await (await hamlet()).request(type, query(content))).child('error')?.firstChild?.name;

  it('what names nothing', async () => {
    expect(await refused('get', '')).toBe('not-acceptable');
    expect(await refused('set', '')).toBe('not-acceptable');
  });

  it('elements without a namespace of their own', async () => {
    expect(await refused('set', '<exodus/>')).toBe('not-acceptable');
    expect(await refused('set', `<exodus xmlns=''/>`)).toBe('not-acceptable');
  });

  it('questions for several namespaces', async () => {
    expect(await refused('get', `<a xmlns='urn:x'/><b xmlns='urn:y'/>`)).toBe('not-acceptable');
  });
});

it('keeps no more than it is allowed to, and counts who tries', async () => {
  const server = await start({ maxBytes: 100, maxNamespaces: 2 });
  const client = await server.client('hamlet@localhost/denmark');
  const set = async (content: string) => (await client.request('set', query(content))).child('error')?.firstChild?.name;
  expect(await set(`<a xmlns='urn:x'>${'x'.repeat(100)}</a>`)).toBe('resource-constraint');
  expect(await set(`<a xmlns='urn:1'>1</a><a xmlns='urn:2'>2</a>`)).toBeUndefined();
  expect(await set(`<a xmlns='urn:3'>3</a>`)).toBe('resource-constraint');
  const { limitsExceeded } = server.node.registry.metrics;
  expect(limitsExceeded.with({ limit: 'private-bytes' }).value).toBe(1);
  expect(limitsExceeded.with({ limit: 'private-namespaces' }).value).toBe(1);
});
