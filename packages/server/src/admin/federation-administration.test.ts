import { beforeEach, expect, test, vi } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import { fakePeer } from '../s2s/fake-peer.ts';
import { administerFederation, type FederationAdministration } from './federation-administration.ts';

let administration: FederationAdministration;
let send: () => Promise<void>;

beforeEach(async () => {
  const peer = await fakePeer((connection) => connection.begin(''));
  const server = await startServer({
    nodes: 1,
    config: {
      domains: ['local.example', 'other.example'],
      listen: { c2s: [], c2sTls: [], s2s: [], s2sTls: [], http: [] },
      federation: {
        enabled: true,
        peers: [{ domain: 'remote.example', connectTo: `127.0.0.1:${peer.port}` }],
        retry: { firstSeconds: 120 }, // it rests until somebody has looked
      },
    },
  });
  administration = administerFederation(server.node.federation, server.node.domains);
  send = async () => {
    const romeo = await server.online('romeo@local.example/a');
    romeo.send(`<message to='juliet@remote.example'><body>hi</body></message>`);
    await romeo.sync();
  };
});

const lines = async (remote: string, local?: string) => {
  const told: string[] = [];
  for await (const line of administration.explain(remote, local)) told.push(line.replace(/^[\d.]+ s {2}/, ''));
  return told.map((line) => line.replace(/port \d+/g, 'port N'));
};

test('explains how an attempt goes, step by step', async () => {
  expect(await lines('Remote.example', 'other.example')).toEqual([
    'policy: by the entry of remote.example; certificate, TLS TLSv1.2, stanzas message presence iq',
    'configured: connect to 127.0.0.1 port N',
    'DNS: 127.0.0.1 has 127.0.0.1',
    'connecting to 127.0.0.1 port N (127.0.0.1, STARTTLS)',
    'failed: It offers no encryption, which the policy asks for.',
    'It does not work. It offers no encryption, which the policy asks for.',
  ]);
});

test('lists what there is, with why there is no stream', async () => {
  await send();
  await vi.waitFor(() => {
    expect(administration.list()).toMatchObject({
      outgoing: [
        {
          local: 'local.example',
          remote: 'remote.example',
          state: 'resting',
          stream: undefined,
          waiting: 0,
          failure: 'It offers no encryption, which the policy asks for.',
        },
      ],
      incoming: [],
    });
  });
  await expect(administration.connect('remote.example')).rejects.toThrow('It offers no encryption');
  expect(administration.close('remote.example')).toBe(0);
});

test.each([
  ['no domain', undefined, 'That is not a domain'],
  ['local.example', undefined, 'local.example is served here.'],
  ['remote.example', 'foreign.example', 'foreign.example is not served here.'],
])('refuses %s from %s', async (remote, local, words) => {
  await expect(lines(remote, local)).rejects.toThrow(words);
  await expect(administration.connect(remote, local)).rejects.toThrow(words);
});
