import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfiguration } from '@parley/server/config/load';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../services/certificates.ts';
import { CLI, run } from '../support/process.ts';
import { configurationOf, helm, type Manifest, render, template, YAML } from './chart.ts';
import { FULL, LEAST, MATRIX, SNMP, TRIAL } from './chart-values.ts';
import { checkManifest } from './kubernetes-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'parley-helm-'));
afterAll(() => rmSync(folder, { recursive: true }));

const certificates = makeCertificates(join(folder, 'certificates'));

/** Writes a parley.yaml of the chart with the files that it names, as they are mounted, below a folder of the tests. */
function mounted(text: string): string {
  const files = new Map([
    ['tls/tls.crt', readFileSync(certificates.certificate('good'), 'utf8')],
    ['tls/tls.key', readFileSync(certificates.key('good'), 'utf8')],
  ]);
  for (const [, path = ''] of text.matchAll(/\/run\/parley\/(\S+)/g)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, files.get(path) ?? '0123456789abcdef'.repeat(4));
  }
  const file = join(folder, 'parley.yaml');
  writeFileSync(file, text.replaceAll('/run/parley/', `${folder}/`).replace('/var/lib/parley', folder));
  return file;
}

const configurations = (manifests: readonly Manifest[]): string[] =>
  manifests.flatMap(({ kind, data }) => (kind === 'ConfigMap' ? [data['parley.yaml']] : []));

describe.each(MATRIX)('%s', (_, values) => {
  const manifests = render(values);

  it('is what Kubernetes takes, with no field that it does not know', async () => {
    expect(manifests.length).toBeGreaterThan(5);
    for (const manifest of manifests) await checkManifest(manifest);
  });

  it('gives nodes and agent a configuration that is right', () => {
    const all = configurations(manifests);
    expect(all).not.toHaveLength(0);
    for (const text of all) {
      expect(() => loadConfiguration({ file: mounted(text), env: {}, modules: moduleSettings(modules) })).not.toThrow();
    }
  });
});

it.each([
  ['a trial', TRIAL],
  ['everything', FULL],
])('another release of %s in the same namespace shares nothing with it', (_, values) => {
  const first = render(values);
  const second = render(values, { release: 'second' });
  const names = (all: readonly Manifest[]) => new Set(all.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  expect([...names(second)].filter((name) => names(first).has(name))).toEqual([]);
  for (const { kind, spec } of second) {
    const selector = { Deployment: spec?.selector?.matchLabels, Service: spec?.selector }[kind];
    if (selector) expect(selector['app.kubernetes.io/instance']).toBe('second');
  }
});

it.each([
  ['a trial', TRIAL],
  ['everything', FULL],
])('parley check takes what %s has', async (_, values) => {
  for (const text of configurations(render(values))) {
    const { code, stdout, stderr } = await run(process.execPath, [CLI, '--config', mounted(text), 'check']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/is good/);
    expect(code).toBe(0);
  }
});

it.each([
  ['trial', TRIAL],
  ['full', FULL],
])('golden/%s.yaml is what comes of it (else, when it is right: vitest run tests/helm -u)', async (name, values) => {
  const { stdout } = template(values);
  await expect(stdout).toMatchFileSnapshot(`golden/${name}.yaml`);
});

it.each([
  ['the values of its trial', ['-f', 'helm/parley/ci/trial-values.yaml']],
  ['its own values', []],
])('helm lint has nothing to say, with %s', (_, more) => {
  const { status, stdout } = helm(['lint', '--strict', 'helm/parley', ...more]);
  expect(stdout.match(/^\[(WARNING|ERROR)\].*/gm)).toBeNull();
  expect(status).toBe(0);
});

it('the values of its trial are those of the tests', () => {
  expect(YAML.parse(readFileSync(new URL('../../helm/parley/ci/trial-values.yaml', import.meta.url), 'utf8'))).toEqual(
    TRIAL,
  );
});

it('the chart has the version of Parley', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(YAML.parse(read('helm/parley/Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

describe('refuses', () => {
  it.each([
    ['an unknown value', { replica: 3 }, /additional properties 'replica' not allowed/],
    ['one below others', { clients: { service: { kind: 'x' } } }, /at '\/clients\/service'.*'kind' not allowed/],
    ['an unknown option', { config: { limits: { login: {} } } }, /at '\/config\/limits'.*'login' not allowed/],
    ['an option of a wrong kind', { config: { drain: { sessionsPerSecond: 'many' } } }, /got string, want integer/],
    ['a secret', { config: { snmp: { users: [{ name: 'noc', password: 'open secret' }] } } }, /'password' not allowed/],
    ['the secret of the cluster', { config: { cluster: { secret: 'x'.repeat(32) } } }, /'secret' not allowed/],
    ['a password in a URL', { redis: { url: 'redis://:secret@redis' } }, /at '\/redis\/url'.*does not match pattern/],
    ['ports beside its own', { config: { listen: { c2s: [] } } }, /'listen' not allowed/],
    ['a drain of all nodes at once', { config: { drain: { now: true } } }, /'now' not allowed/],
    ['an audit that goes with its pod', { config: { audit: { file: '/tmp/audit' } } }, /'file' not allowed/],
    ['HTTP for everybody', { http: { service: { type: 'LoadBalancer' } } }, /'http' not allowed/],
    ['components for everybody', { components: { service: { type: 'LoadBalancer' } } }, /'service' not allowed/],
    ['a file from nowhere', { files: [{ name: 'x' }] }, /oneOf/],
    ['no Redis', { redis: { url: '' } }, /redis\.url is missing/],
    ['two Redis', { redis: { ...LEAST.redis, trial: { enabled: true } } }, /exclude each other/],
    ['no secret of the cluster', { cluster: {} }, /cluster\.secret\.name is missing.*openssl rand/],
    ['a PROXY protocol from anybody', { clients: { proxyProtocol: true } }, /trustedNetworks is missing/],
    ['a certificate of nobody', { tls: { certificate: { enabled: true } } }, /issuerRef\.name is missing/],
    ['routes to nowhere', { gateway: { enabled: true } }, /gateway\.parentRefs is missing/],
    ['fewer than the fewest', { autoscaling: { enabled: true, maxReplicas: 1 } }, /less than autoscaling\.minReplicas/],
    ['KEDA without Prometheus', { autoscaling: { enabled: true, by: 'keda' } }, /prometheusUrl is missing/],
    ['SNMP for nobody', { snmp: { enabled: true } }, /config\.snmp\.users is missing/],
    ['SNMP for everybody', { ...SNMP, snmp: { enabled: true, service: { type: 'LoadBalancer' } } }, /SourceRanges is/],
    [
      'SNMP for everybody, said aloud',
      { ...SNMP, snmp: { enabled: true, service: { loadBalancerSourceRanges: ['0.0.0.0/0'] } } },
      /'not' failed|not allowed|must not/,
    ],
    [
      'snmpd from nowhere',
      { snmp: { enabled: true, agentx: { enabled: true } } },
      /agentx\.image\.repository is missing/,
    ],
  ])('%s', (_, values, message) => {
    const { status, stdout, stderr } = template({ ...LEAST, ...values });
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).not.toBe(0);
  });
});

it('every object in the values is closed, but for those whose names only others know', () => {
  const open: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { type, properties, additionalProperties } = schema as Record<string, unknown>;
    if ((type === 'object' || properties) && additionalProperties !== false) open.push(path);
    for (const [key, inside] of Object.entries(schema)) walk(inside, `${path}/${key}`);
  };
  const schema = readFileSync(new URL('../../helm/parley/values.schema.json', import.meta.url), 'utf8');
  walk(JSON.parse(schema), '');
  // labels and annotations, quantities of resources, an affinity as it is, and what Helm itself hands to charts
  const known = /(annotations|labels|Labels|Annotations|nodeSelector|requests|limits|affinity|global)$/;
  expect(open.filter((path) => !known.test(path))).toEqual([]);
});

it('numbers stay numbers, however large', () => {
  expect(configurationOf(render(FULL))).toContain('maxBytes: 16777216\n');
});

describe('the check of fields', () => {
  const [first] = render(LEAST).filter(({ kind }) => kind === 'Deployment') as [Manifest];
  const [container] = first.spec.template.spec.containers;
  const withContainer = (more: object) => {
    const copy = structuredClone(first);
    copy.spec.template.spec.containers = [{ ...container, ...more }];
    return checkManifest(copy);
  };

  it.each([
    ['a field that is misspelt', { livenesProbe: {} }, /unknown fields: .*livenesProbe/],
    ['one deep inside', { lifecycle: { preStop: { sleep: { second: 5 } } } }, /second/],
    ['a value of a wrong kind', { ports: [{ containerPort: 'many' }] }, /containerPort/],
  ])('sees %s', async (_, more, message) => {
    await expect(withContainer({})).resolves.toBeUndefined();
    await expect(withContainer(more)).rejects.toThrow(message);
  });
});
