import { expect, test } from 'vitest';
import { Peers } from '../peers.ts';
import { AdministrationError } from './administration-error.ts';
import type { FederationStatus } from './federation-administration.ts';
import { FederationEverywhere } from './federation-everywhere.ts';

const row = (local: string, remote: string) => ({ local, remote }) as FederationStatus['outgoing'][number];
const from = (remote: string) => ({ remotes: [remote] }) as unknown as FederationStatus['incoming'][number];

/** Nodes that can tell each other things; `gone` are those that do not answer. */
function nodes(names: readonly string[], rows: (name: string) => FederationStatus, gone: readonly string[] = []) {
  const all = new Map<string, Peers>(names.map((name) => [name, new Peers()]));
  return names.map((name) => {
    const peers = all.get(name) as Peers;
    const others = names.filter((each) => each !== name && !gone.includes(each));
    peers.connect(
      async (subject, text) => {
        await Promise.all(others.map((other) => all.get(other)?.receive(subject, text)));
      },
      async (node, subject, text) => (await all.get(node)?.receive(subject, text)) ?? false,
    );
    const local = {
      list: () => rows(name),
      close: (remote: string) => {
        if (remote === '') throw new AdministrationError('invalid', 'That is no domain.');
        return rows(name).outgoing.filter((each) => each.remote === remote).length;
      },
    };
    return new FederationEverywhere({ peers, self: () => ({ id: name, name: `node ${name}` }), local });
  });
}

test('all nodes tell what they have, each under its name', async () => {
  const [one, two] = nodes(['a', 'b', 'c'], (name) => ({
    outgoing: [row('local', `to-${name}`)],
    incoming: name === 'b' ? [from('x'), from('y')] : [],
  })) as [FederationEverywhere, FederationEverywhere];
  expect(await one.list()).toEqual({
    outgoing: ['a', 'b', 'c'].map((name) => ({ node: `node ${name}`, local: 'local', remote: `to-${name}` })),
    incoming: ['x', 'y'].map((remote) => ({ node: 'node b', remotes: [remote] })),
  });
  const both = await Promise.all([one.list(), two.list()]);
  expect(both.map(({ outgoing }) => outgoing.map(({ node }) => node))).toEqual([
    ['node a', 'node b', 'node c'],
    ['node b', 'node a', 'node c'],
  ]);
});

test('also where one has very many', async () => {
  const many = Array.from({ length: 1234 }, (_, n) => row('local', `r${n}`));
  const [one] = nodes(['a', 'b'], (name) => ({ outgoing: name === 'b' ? many : [], incoming: [] }));
  const { outgoing } = (await one?.list()) ?? { outgoing: [] };
  expect(outgoing.map(({ remote }) => remote)).toEqual(many.map(({ remote }) => remote));
});

test('streams are closed wherever they are', async () => {
  const [one] = nodes(['a', 'b', 'c'], () => ({ outgoing: [row('one', 'x'), row('two', 'x')], incoming: [] }), ['c']);
  expect(await one?.close('x')).toBe(4);
  await expect(one?.close('')).rejects.toThrow('That is no domain.');
});

test('a node that is alone says of no row where it is', async () => {
  const local = { list: () => ({ outgoing: [row('local', 'x')], incoming: [] }), close: () => 1 };
  const alone = new FederationEverywhere({ peers: new Peers(), self: () => undefined, local });
  expect(await alone.list()).toEqual({ outgoing: [{ local: 'local', remote: 'x' }], incoming: [] });
  expect(await alone.close('x')).toBe(1);
});
