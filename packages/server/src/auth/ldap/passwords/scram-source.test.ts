import { randomBytes } from 'node:crypto';
import { Jid } from '@parley/xmpp/jid';
import { formatScramVerifier, type ScramHash, type ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, expect, it } from 'vitest';
import type { Person } from '../person.ts';
import { Reading, type ReadingOptions } from './scram-source.ts';

const names = Array.from({ length: 200 }, (_, index) => Jid.parse(`nobody${index}@localhost`));
const HASH: ScramHash = 'SHA-256';
const DEADLINE = 0 as never;

/** The verifiers of people, by their entries. */
let people: Map<string, string>;

const verifier = (iterations: number, saltBytes: number): string =>
  formatScramVerifier({
    ...{ hash: HASH, iterations, salt: randomBytes(saltBytes) },
    ...{ storedKey: randomBytes(32), serverKey: randomBytes(32) },
  } as ScramVerifier);

/** A node that reads them. */
function reading(): Reading {
  const entry = (line: string) => ({ texts: () => [line] });
  const search = async (dn: string, { scope }: { scope: string }) => {
    if (scope !== 'base') return [...people.values()].map(entry);
    const line = people.get(dn);
    return line === undefined ? [] : [entry(line)];
  };
  return new Reading({
    settings: {
      people: { base: 'ou=people', scope: 'sub', filter: '(objectClass=person)' },
      passwords: { verifiers: 'authPassword' },
    },
    lookups: { ask: (work: (directory: unknown) => unknown) => work({ search }) },
    secret: Buffer.alloc(32, 7),
    iterations: () => 10_000,
  } as unknown as ReadingOptions);
}

const shown = (node: Reading) =>
  names.map((name) => {
    const { iterations, salt } = node.falseVerifier(name, HASH);
    return `${iterations} ${salt.toString('base64')}`;
  });

const login = (node: Reading, dn: string) => node.verifier({ dn } as Person, HASH, DEADLINE);

beforeEach(() => {
  people = new Map([
    ['cn=old', verifier(4096, 12)],
    ['cn=new', verifier(20_000, 16)],
  ]);
});

it('challenges somebody unknown the same way, whoever logs in meanwhile, on all nodes', async () => {
  const node = reading();
  await node.none(names[0] as Jid, HASH, DEADLINE);
  const before = shown(node);
  const forms = new Set(before.map((each) => each.split(' ')[0]));
  expect(forms).toEqual(new Set(['4096', '20000'])); // as those of people do, and none of its own
  for (const dn of ['cn=old', 'cn=new', 'cn=old']) {
    expect(await login(node, dn)).toBeDefined();
    expect(shown(node)).toEqual(before);
  }
  const other = reading();
  await login(other, 'cn=new');
  await login(other, 'cn=old');
  expect(shown(other)).toEqual(before);
});

it('takes the form of a new one for some, and remembers a few', async () => {
  const node = reading();
  await login(node, 'cn=old');
  const before = shown(node);
  await login(node, 'cn=new');
  const after = shown(node);
  expect(after.every((each, index) => each === before[index] || each.startsWith('20000 '))).toBe(true);
  for (let iterations = 30_000; iterations < 30_020; iterations++) {
    people.set('cn=another', verifier(iterations, 16));
    await login(node, 'cn=another');
  }
  expect(new Set(shown(node).map((each) => each.split(' ')[0])).size).toBeLessThanOrEqual(8);
});

it('makes one as the configuration says where nobody has any', () => {
  expect(reading().falseVerifier(names[0] as Jid, HASH).iterations).toBe(10_000);
});
