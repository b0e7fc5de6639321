import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { programOf } from '../services/unprivileged.ts';
import { configurationOf, render, the, YAML } from './chart.ts';
import { FULL, LEAST, SNMP, TRIAL } from './chart-values.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

function promtool(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(programOf('prometheus', 'promtool'), args, { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

interface Rules {
  readonly groups: {
    readonly name: string;
    readonly rules: {
      readonly alert: string;
      readonly expr: string;
      readonly labels: object;
      readonly annotations: object;
    }[];
  }[];
}

describe('alerts', () => {
  const { spec } = the(render(FULL), 'PrometheusRule') as unknown as { spec: Rules };
  const rules = spec.groups.flatMap((group) => group.rules);

  it('are those of deploy/prometheus, each about the nodes of this release alone', () => {
    const source = (YAML.parse(read('deploy/prometheus/parley.rules.yml')) as Rules).groups;
    expect(rules.map(({ alert }) => alert)).toEqual(source.flatMap((group) => group.rules.map(({ alert }) => alert)));
    const job = 'job="talk/chat-parley"';
    for (const [index, { expr, annotations }] of rules.entries()) {
      const before = source.flatMap((group) => group.rules)[index];
      expect(annotations).toEqual(before?.annotations); // with the braces of Prometheus, which are not Helm's
      const plain = expr.replaceAll(`{${job}}`, '').replaceAll(`${job}, `, '');
      expect(plain.replace(job, 'job="parley"').replace('up == 0', 'up{job="parley"} == 0').trim()).toBe(
        before?.expr.trim(),
      );
      const selectors = expr.replace(/"[^"]*"/g, '""').match(/\b(xmpp|parley)_[a-z_]+|\bup\b|\{__name__/g) ?? [];
      expect(expr.split(job)).toHaveLength(Math.max(selectors.length, 1) + 1);
    }
    expect(spec.groups.map(({ name }) => name)).toEqual(source.map(({ name }) => `talk/chat-parley ${name}`));
  });

  it('have the labels that were asked for', () => {
    for (const { labels } of rules) expect(labels).toMatchObject({ severity: expect.any(String), team: 'chat' });
    expect(the(render(FULL), 'PrometheusRule').metadata.labels.release).toBe('prometheus');
  });

  it('are what Prometheus takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-rules-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'rules.yml'), YAML.stringify(spec));
    expect(promtool('check', 'rules', '--lint-fatal', join(folder, 'rules.yml'))).toBe('');
  });

  it('fire when those of deploy/prometheus do: the same tests hold for them', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-rules-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'parley.rules.yml'), read('helm/parley/files/parley.rules.yml'));
    const test = read('deploy/prometheus/parley.rules.test.yml');
    writeFileSync(join(folder, 'test.yml'), test);
    expect(promtool('test', 'rules', join(folder, 'test.yml'))).toBe('');
    // and not for another release
    const other = test.replace(/^( +(?:- )?\{? ?series: .*?)job="parley"/gm, '$1job="other"');
    writeFileSync(join(folder, 'other.yml'), other);
    expect(promtool('test', 'rules', join(folder, 'other.yml'))).toMatch(/FAILED/);
  });
});

it('Prometheus scrapes each node by itself, under the name of its pod', () => {
  const manifests = render(FULL);
  const { spec, metadata } = the(manifests, 'ServiceMonitor');
  expect(metadata.labels.release).toBe('prometheus');
  const { labels } = the(manifests, 'Service', '-http').metadata;
  expect(labels).toMatchObject(spec.selector.matchLabels);
  const others = manifests.filter(({ kind, metadata: { name } }) => kind === 'Service' && !name.endsWith('-http'));
  for (const other of others) expect(other.metadata.labels).not.toMatchObject(spec.selector.matchLabels);
  expect(spec.endpoints).toEqual([
    {
      port: 'http',
      path: '/metrics',
      interval: '30s',
      relabelings: [
        { targetLabel: 'job', replacement: 'talk/chat-parley' },
        { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'instance' },
      ],
    },
  ]);
  expect(YAML.parse(configurationOf(manifests))).toMatchObject({
    http: {
      allowedHosts: [
        'chat-parley-http',
        'chat-parley-http.talk',
        'chat-parley-http.talk.svc',
        'parley.internal.example.org',
      ],
    },
  });
});

describe('the SNMP agent', () => {
  it('has a configuration of its own, and nodes nothing of its passwords', () => {
    const manifests = render(SNMP);
    expect(YAML.parse(configurationOf(manifests, '-snmp'))).toEqual({
      domains: ['localhost'],
      keyspace: { url: 'redis://redis.example.org' },
      cluster: { secretFile: '/run/parley/cluster/secret' },
      snmp: {
        ...SNMP.config.snmp,
        host: '::',
        port: 1161,
        metrics: [{ host: '::', port: 9116 }],
      },
    });
    expect(configurationOf(manifests)).not.toContain('noc');
    expect(YAML.parse(configurationOf(render(FULL)))).toMatchObject({ snmp: { associations: 'all' } });
  });

  it('is one process, which managers ask by UDP', () => {
    const manifests = render(SNMP);
    const { spec } = the(manifests, 'Deployment', '-snmp');
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    const [agent] = spec.template.spec.containers;
    expect(agent.command).toEqual(['parley', '--config', '/etc/parley/parley.yaml', 'snmp']);
    expect(agent.ports).toContainEqual({ name: 'snmp', containerPort: 1161, protocol: 'UDP' });
    expect(the(manifests, 'Service', '-snmp').spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ name: 'snmp', port: 161, targetPort: 'snmp', protocol: 'UDP' }],
    });
  });

  it('may be a subagent of an snmpd beside it, which managers ask then', () => {
    const manifests = render(FULL);
    const { containers, volumes } = the(manifests, 'Deployment', '-snmp').spec.template.spec;
    expect(containers.map(({ name }: { name: string }) => name)).toEqual(['agent', 'snmpd']);
    const [agent, snmpd] = containers;
    expect(agent.ports).toEqual([{ name: 'metrics', containerPort: 9116 }]);
    expect(snmpd.ports).toEqual([{ name: 'snmp', containerPort: 1161, protocol: 'UDP' }]);
    expect(snmpd.command.at(-1)).toBe('udp:1161');
    expect(volumes).toContainEqual({
      name: 'snmpd',
      secret: {
        secretName: 'parley-snmpd',
        defaultMode: 0o440,
        items: [{ key: 'snmpd.conf', path: 'snmpd.conf' }],
      },
    });
    expect(YAML.parse(configurationOf(manifests, '-snmp'))).toMatchObject({ snmp: { agentx: '127.0.0.1:1705' } });
  });
});

describe('helm test', () => {
  const commandOf = (values: object): string[] => {
    const pod = the(render(values), 'Pod', '-test-chat');
    expect(pod.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
    expect(pod.spec.restartPolicy).toBe('Never');
    expect(pod.spec.containers[0].command.slice(0, 4)).toEqual([
      'parley',
      '--config',
      '/etc/parley/parley.yaml',
      'try',
    ]);
    return pod.spec.containers[0].command.slice(4);
  };

  it.each([
    ['a trial', TRIAL, ['--server', 'chat-parley-clients:5222', '--any-certificate']],
    ['a good certificate', { ...LEAST, tls: { secretName: 'own' } }, ['--server', 'chat-parley-clients:5222']],
    [
      'direct TLS alone',
      { ...LEAST, clients: { starttls: 0 } },
      ['--server', 'chat-parley-clients:5223', '--direct-tls', '--any-certificate'],
    ],
    [
      'a PROXY protocol, an authority and accounts of one’s own',
      FULL,
      [
        ...['--server', 'chat-parley-internal:5222'],
        ...['--authorities', '/run/parley/files/authorities/ca.crt'],
        ...['--accounts', '/run/parley/accounts/accounts'],
      ],
    ],
  ])('has two users chat, with %s', (_, values, command) => {
    expect(commandOf(values)).toEqual(command);
  });

  it('is not there where no client can connect', () => {
    expect(render({ ...LEAST, clients: { starttls: 0, tls: 0 } }).some(({ kind }) => kind === 'Pod')).toBe(false);
  });
});
