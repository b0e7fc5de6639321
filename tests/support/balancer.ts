import { readFileSync } from 'node:fs';
import { Haproxy } from '../services/haproxy.ts';

const FILE = readFileSync(new URL('../../deploy/haproxy.cfg', import.meta.url), 'utf8');

/** The port of loopback on which a node listens for this. */
export type BalancedPorts = (name: 'c2s' | 'c2sTls' | 'http' | 'agentCheck') => number;

/** A line of the file for one node, without what is in front of its name. */
const SERVER = /^( *server )node1 10\.0\.0\.11(:.*)\n.*node2 10\.0\.0\.12:.*$/gm;

/**
 * HAProxy with the file in deploy in front of these nodes, `node1` and so on; with addresses and ports of the test in
 * place of those in it. Its own ports are those for STARTTLS and for direct TLS. Ends with the test.
 */
export function balancer(nodes: readonly BalancedPorts[]): Promise<Haproxy> {
  return Haproxy.start({
    ports: 2,
    text([c2s = 0, c2sTls = 0], socket) {
      const text = FILE.replace('/run/haproxy/admin.sock', socket)
        .replace(':::5222 v4v6', `127.0.0.1:${c2s}`)
        .replace(':::5223 v4v6', `127.0.0.1:${c2sTls}`)
        .replace(SERVER, (_, server: string, rest: string) =>
          nodes.map((port, index) => `${server}node${index + 1} 127.0.0.1${here(rest, port)}`).join('\n'),
        );
      // only root may become somebody else
      return process.getuid?.() === 0 ? text : text.replace(/^ *(user|group) .*$/gm, '');
    },
  });
}

const here = (server: string, port: BalancedPorts): string =>
  server
    .replace(':5222', `:${port('c2s')}`)
    .replace(':5223', `:${port('c2sTls')}`)
    .replace(' port 5280', ` port ${port('http')}`)
    .replace('agent-port 5281', `agent-port ${port('agentCheck')}`);
