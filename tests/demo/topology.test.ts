import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { layOut } from '../../scripts/demo/files.ts';
import { portsAt } from '../../scripts/demo/ports.ts';
import { programOf } from '../services/unprivileged.ts';
import { CLI, run } from '../support/process.ts';
import { compose, mountedAt, reach, read, root, yaml } from './compose-file.ts';

interface Listener {
  readonly host: string;
  readonly port: number;
  readonly proxyProtocol?: boolean;
}

const parley = yaml<{
  readonly listen: Readonly<Record<'c2s' | 'c2sTls' | 'http' | 'agentCheck', readonly [Listener]>>;
  readonly keyspace: { readonly url: string };
  readonly http: { readonly allowedHosts: readonly string[] };
  readonly drain: { readonly seconds: number };
  readonly directories: readonly [{ readonly servers: readonly [string] }];
  readonly snmp: Listener;
}>(mountedAt('node1', '/etc/parley/parley.yaml'));
const port = (name: keyof typeof parley.listen) => parley.listen[name][0].port;

const published = (service: string) =>
  compose.services[service]?.ports?.map((each) => Number(each.split(':')[2]?.split('/')[0]));

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-topology-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What a configuration of HAProxy says, a line for each setting, by section. */
function settings(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n').map((each) => each.replace(/#.*/, '').trimEnd())) {
    if (/^\S/.test(line)) {
      lines = [];
      sections.set(line, lines);
    } else if (line !== '') lines.push(line.trim());
  }
  return sections;
}

it('HAProxy leads to the ports of both nodes, which expect its header, and is set as deploy/haproxy.cfg is', () => {
  const file = mountedAt('haproxy', '/usr/local/etc/haproxy/haproxy.cfg');
  const demo = settings(read(file));
  const model = settings(read('deploy/haproxy.cfg'));
  const resolved = ' resolvers names init-addr last,libc,none';
  expect(demo.get('defaults')?.map((line) => line.replace(resolved, ''))).toEqual(model.get('defaults'));
  for (const [backend, listener] of [
    ['backend nodes', 'c2s'],
    ['backend nodes-tls', 'c2sTls'],
  ] as const) {
    expect(parley.listen[listener][0].proxyProtocol).toBe(true);
    const checks = `check port ${port('http')} agent-check agent-port ${port('agentCheck')}`;
    const nodes = ['node1', 'node2'].map((node) => `server ${node} ${node}:${port(listener)} ${checks}`);
    expect(demo.get(backend)).toEqual(nodes);
    expect(model.get(backend)?.map((line) => line.replace(/10\.0\.0\.1([12])/, 'node$1'))).toEqual(nodes);
  }
  for (const node of ['node1', 'node2']) expect(reach('haproxy', node).service).toBe(node);
  const bound = [...read(file).matchAll(/^ +bind 0\.0\.0\.0:(\d+)$/gm)].map(([, number]) => Number(number));
  expect(bound).toEqual(published('haproxy'));
  expect(compose.services.haproxy?.healthcheck?.test?.at(-1)).toBe(`http://127.0.0.1:${bound[2]}/`);
  expect(compose.services.haproxy?.stop_signal).toBe('SIGTERM'); // of the image: SIGUSR1, which waits for clients
});

it('nodes and agent find Redis and the directory, and have time to stop', () => {
  for (const each of ['node1', 'node2', 'snmp']) {
    expect(mountedAt(each, '/etc/parley/parley.yaml')).toBe('deploy/demo/parley.yaml');
    const redis = reach(each, parley.keyspace.url.replace('redis://', ''));
    expect(read('deploy/demo/redis.conf')).toMatch(new RegExp(`^port ${redis.port}$`, 'm'));
    expect(Number.parseInt(compose.services[each]?.stop_grace_period ?? '', 10)).toBeGreaterThan(
      parley.drain.seconds + 5,
    );
  }
  const directory = reach('node1', parley.directories[0].servers[0].replace('ldap://', ''));
  expect(directory.service).toBe('openldap');
  expect(read(mountedAt('openldap', '/etc/openldap/start.sh'))).toContain(`ldap://0.0.0.0:${directory.port}`);
  expect(published('openldap')).toEqual([directory.port]);
  expect(read('deploy/demo/make-secrets.sh')).toMatch(/NAMES=DNS:openldap,/);
  expect(published('snmp')).toEqual([parley.snmp.port]);
});

it('the agent is asked how it is where it shows the numbers of the nodes, by the Node.js of the image', async () => {
  const { environment, healthcheck } = compose.services.snmp ?? {};
  const [page] = JSON.parse(environment?.PARLEY_SNMP__METRICS ?? '[]') as [Listener];
  const [, program, option, script = ''] = healthcheck?.test ?? [];
  expect([program, option]).toEqual(['/opt/parley/node_modules/.bin/node', '-e']);
  expect(script).toContain(`'http://${page.host}:${page.port}/metrics'`);

  let status = 200;
  const server = createServer((_, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const here = script.replace(`${page.port}`, `${(server.address() as AddressInfo).port}`);
  const ask = async () => (await run(process.execPath, ['-e', here])).code;
  expect(await ask()).toBe(0);
  status = 503;
  expect(await ask()).toBe(1);
  server.close();
  expect(await ask()).toBe(1);
});

it('Redis is set as docs/operations.md asks', () => {
  const asked = /# redis\.conf of each server\n([\s\S]*?)```/.exec(read('docs/operations.md'))?.[1] ?? '';
  const alone = asked.split('\n').filter((line) => line !== '' && !line.startsWith('min-replicas-'));
  expect(alone.length).toBe(3);
  const lines = read(mountedAt('redis', '/etc/redis/redis.conf')).split('\n');
  expect(alone.filter((line) => !lines.includes(line))).toEqual([]);
});

it('Prometheus scrapes both nodes under names that they answer to, and Grafana finds it and the dashboard', () => {
  const {
    scrape_configs: [job],
    rule_files: rules,
  } = yaml<{
    scrape_configs: [{ job_name: string; static_configs: [{ targets: string[] }] }];
    rule_files: [string];
  }>(mountedAt('prometheus', '/etc/prometheus/prometheus.yml'));
  const targets = job.static_configs[0].targets.map((target) => reach('prometheus', target));
  expect(targets).toEqual(['node1', 'node2'].map((service) => ({ service, port: port('http') })));
  expect(parley.http.allowedHosts).toEqual(['node1', 'node2']);
  expect(job.job_name).toBe('parley'); // what rules and dashboard ask for
  expect(mountedAt('prometheus', `/etc/prometheus/${rules[0]}`)).toBe('deploy/prometheus/parley.rules.yml');

  const sources = yaml<{ datasources: [{ url: string; type: string; isDefault: boolean }] }>(
    mountedAt('grafana', '/etc/grafana/provisioning/datasources/datasources.yml'),
  ).datasources;
  expect(sources).toMatchObject([{ type: 'prometheus', isDefault: true }]);
  const source = reach('grafana', sources[0].url.replace('http://', ''));
  expect([source.service, [source.port]]).toEqual(['prometheus', published('prometheus')]);
  const { providers } = yaml<{ providers: [{ type: string; options: { path: string } }] }>(
    mountedAt('grafana', '/etc/grafana/provisioning/dashboards/dashboards.yml'),
  );
  const dashboard = compose.services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? '';
  expect(dashboard).toBe(`${providers[0].options.path}/parley.json`);
  expect(JSON.parse(read(mountedAt('grafana', dashboard)))).toMatchObject({ uid: 'parley' });
});

it('HAProxy and promtool take their files', () => {
  const haproxy = spawnSync(programOf('haproxy'), ['-c', '-f', 'deploy/demo/haproxy.cfg'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status: haproxy.status, said: haproxy.status === 0 ? '' : haproxy.stderr }).toEqual({ status: 0, said: '' });
  const folder = temporary();
  for (const target of ['/etc/prometheus/prometheus.yml', '/etc/prometheus/parley.rules.yml']) {
    copyFileSync(join(root, mountedAt('prometheus', target)), join(folder, basename(target)));
  }
  const promtool = spawnSync(programOf('prometheus', 'promtool'), ['check', 'config', join(folder, 'prometheus.yml')]);
  expect({ status: promtool.status, said: String(promtool.stderr) }).toEqual({ status: 0, said: '' });
});

it('parley takes the configuration of each node, as npm run demo writes it', async () => {
  const folder = temporary();
  layOut(folder, portsAt(0));
  mkdirSync(join(folder, 'secrets'), { recursive: true });
  expect(spawnSync('sh', [join(root, 'deploy/demo/make-secrets.sh'), join(folder, 'secrets')]).status).toBe(0);
  for (const node of ['node1', 'node2']) {
    const { code, stderr } = await run(process.execPath, [CLI, '--config', join(folder, `${node}.yaml`), 'check']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
});
