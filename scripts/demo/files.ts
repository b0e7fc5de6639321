import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeName, Ports } from './ports.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));

/** What stands in a file, and what is to stand there instead. */
type Replacements = readonly (readonly [there: string, here: string])[];

/**
 * Puts into the folder what docker-compose.yml mounts, with addresses of this machine. Paths are relative to the folder, where
 * everything is started, so that its own name may hold anything.
 */
export function layOut(folder: string, ports: Ports): void {
  for (const name of ['node1', 'node2', 'secrets', 'openldap/data', 'redis', 'prometheus', 'log']) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  }
  const copy = (from: string, to: string, replacements: Replacements) =>
    writeFileSync(join(folder, to), replaced(from, replacements));
  for (const node of ['node1', 'node2'] as const) copy('demo/parley.yaml', `${node}.yaml`, ofParley(node, ports));
  copy('demo/redis.conf', 'redis.conf', ofRedis(ports));
  copy('demo/haproxy.cfg', 'haproxy.cfg', ofHaproxy(ports));
  copy('demo/prometheus.yml', 'prometheus.yml', ofPrometheus(ports));
  copy('demo/openldap/slapd.conf', 'openldap/slapd.conf', OF_SLAPD);
  copy('demo/openldap/start.sh', 'openldap/start.sh', ofStartOfSlapd(ports));
  copyFileSync(join(deploy, 'demo/people.ldif'), join(folder, 'openldap/people.ldif'));
  copyFileSync(join(deploy, 'prometheus/parley.rules.yml'), join(folder, 'parley.rules.yml'));
}

/** The text of a file of `deploy`. What is replaced has to be there. */
function replaced(file: string, replacements: Replacements): string {
  let text = readFileSync(join(deploy, file), 'utf8');
  for (const [there, here] of replacements) {
    if (!text.includes(there)) throw new Error(`deploy/${file} has no ${JSON.stringify(there)}.`);
    text = text.replaceAll(there, here);
  }
  return text;
}

const SECRETS = ['/secrets/', 'secrets/'] as const;

const ofParley = (node: NodeName, ports: Ports): Replacements => [
  ['host: 0.0.0.0, port: 5222', `host: 127.0.0.1, port: ${ports[node]}`],
  ['host: 0.0.0.0, port: 5223', `host: 127.0.0.1, port: ${ports[`${node}Tls`]}`],
  ['host: 0.0.0.0, port: 5280', `host: 127.0.0.1, port: ${ports[`${node}Http`]}`],
  ['host: 0.0.0.0, port: 5281', `host: 127.0.0.1, port: ${ports[`${node}Agent`]}`],
  ['host: 0.0.0.0\n  port: 1161', `host: 127.0.0.1\n  port: ${ports.snmp}`],
  ['redis://redis:6379', `redis://127.0.0.1:${ports.redis}`],
  ['ldap://openldap:3389', `ldap://127.0.0.1:${ports.directory}`],
  ['/var/lib/parley/', `${node}/`],
  SECRETS,
];

const ofRedis = (ports: Ports): Replacements => [
  ['bind 0.0.0.0', 'bind 127.0.0.1'],
  ['port 6379', `port ${ports.redis}`],
  ['dir /data', 'dir redis'],
  SECRETS,
];

const ofHaproxy = (ports: Ports): Replacements => [
  ['bind 0.0.0.0:5222', `bind 127.0.0.1:${ports.clients}`],
  ['bind 0.0.0.0:5223', `bind 127.0.0.1:${ports.clientsTls}`],
  ['bind 0.0.0.0:8404', `bind 127.0.0.1:${ports.page}`],
  ...(['node1', 'node2'] as const).flatMap((node): Replacements => {
    const checks = `check port ${ports[`${node}Http`]} agent-check agent-port ${ports[`${node}Agent`]}`;
    return [
      [`${node}:5222 check port 5280 agent-check agent-port 5281`, `127.0.0.1:${ports[node]} ${checks}`],
      [`${node}:5223 check port 5280 agent-check agent-port 5281`, `127.0.0.1:${ports[`${node}Tls`]} ${checks}`],
    ];
  }),
];

const ofPrometheus = (ports: Ports): Replacements => [
  ['node1:5280', `127.0.0.1:${ports.node1Http}`],
  ['node2:5280', `127.0.0.1:${ports.node2Http}`],
];

const OF_SLAPD: Replacements = [['/var/lib/openldap', 'openldap/data'], SECRETS];

const ofStartOfSlapd = (ports: Ports): Replacements => [
  ['ldap://0.0.0.0:3389', `ldap://127.0.0.1:${ports.directory}`],
  ['/etc/openldap/', 'openldap/'],
  ...OF_SLAPD,
];
