import { expect, it } from 'vitest';
import { partHost } from '../../../../../tests/support/part-host.ts';
import { privatePart } from './private-part.ts';

const query = (content: string) => `<query xmlns='jabber:iq:private'>${content}</query>`;
const of = (ns: string, text: string) => `<a xmlns='${ns}'>${text}</a>`;

it('writes what it reads, and leaves namespaces that were there', async () => {
  const host = await partHost(privatePart);
  expect([host.reads(query('')), host.reads("<query xmlns='jabber:iq:roster'/>")]).toEqual([true, false]);
  expect(await host.written()).toBe('');
  expect(await host.read(query(of('urn:x', '1')))).toEqual([]);
  expect(await host.read(query(of('urn:x', '2') + of('urn:y', '3')))).toEqual([]);
  expect(await host.written()).toBe(query(of('urn:x', '1') + of('urn:y', '3')));
  await host.clear();
  expect(await host.written()).toBe('');
});

it('tells of what has no namespace, and of what is too much', async () => {
  const host = await partHost(privatePart, { modules: { 'private-storage': { maxNamespaces: 1 } } } as never);
  expect(await host.read(query(`<a/>${of('urn:x', '1')}`))).toEqual([
    'Private XML without a namespace of its own is left out.',
  ]);
  expect(await host.read(query(of('urn:y', '1')))).toEqual([expect.stringMatching(/maxNamespaces/)]);
  expect(await host.written()).toBe(query(of('urn:x', '1')));
});
