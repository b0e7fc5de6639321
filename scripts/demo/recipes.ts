import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { programOf } from './needs.ts';
import type { NodeName, Ports } from './ports.ts';
import type { Recipe } from './service.ts';

const cli = fileURLToPath(new URL('../../packages/cli/src/parley.ts', import.meta.url));

/** In the order in which they are started; what is in one row does not need the others of it. */
export function recipes(ports: Ports): Recipe[][] {
  return [
    [redis(), openldap(ports)],
    [node('node1'), node('node2'), prometheus(ports)],
    [haproxy(ports), snmp()],
  ];
}

const redis = (): Recipe => ({
  name: 'redis',
  command: [programOf('redis-server', 'valkey-server'), 'redis.conf'],
  ready: /Ready to accept connections/,
});

const openldap = (ports: Ports): Recipe => ({
  name: 'openldap',
  command: ['/bin/sh', 'openldap/start.sh'],
  // the folder's own copy of slapd (see state.ts)
  env: { PATH: `openldap:${process.env.PATH}` },
  ready: () => accepts(ports.directory),
});

const parley = (...words: string[]): Recipe['command'] => [
  process.execPath,
  '--disable-proto=delete',
  cli,
  '--config',
  ...words,
];

const node = (name: NodeName): Recipe => ({
  name,
  command: parley(`${name}.yaml`, 'start'),
  env: { PARLEY_CLUSTER__NAME: name },
  ready: /"event":"server\.started"/,
});

const snmp = (): Recipe => ({
  name: 'snmp',
  command: parley('node1.yaml', 'snmp'),
  ready: /"event":"snmp\.started"/,
});

const haproxy = (ports: Ports): Recipe => ({
  name: 'haproxy',
  command: [programOf('haproxy'), '-db', '-f', 'haproxy.cfg'],
  // when it has seen both nodes
  ready: async () => {
    const table = await page(`http://127.0.0.1:${ports.page}/;csv`);
    return (
      table !== undefined && ['node1', 'node2'].every((name) => new RegExp(`^nodes,${name},.*,UP,`, 'm').test(table))
    );
  },
});

const prometheus = (ports: Ports): Recipe => ({
  name: 'prometheus',
  command: [
    programOf('prometheus'),
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=prometheus',
    '--storage.tsdb.retention.time=2d',
    `--web.listen-address=127.0.0.1:${ports.prometheus}`,
    '--log.level=warn',
  ],
  ready: async () => (await page(`http://127.0.0.1:${ports.prometheus}/-/ready`)) !== undefined,
});

/** The text of a page; undefined where nobody answers, or with an error. */
async function page(url: string): Promise<string | undefined> {
  return fetch(url).then(
    async (response) => {
      const text = await response.text();
      return response.ok ? text : undefined;
    },
    () => undefined,
  );
}

/** Whether somebody listens there. */
function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
