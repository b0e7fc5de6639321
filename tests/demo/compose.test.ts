import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { expect, it, onTestFinished } from 'vitest';
import { compose, mountedAt, mounts, read, root, services } from './compose-file.ts';

/** What dclint, with the schema of the Compose Specification, calls an error in such a file. */
function errorsIn(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'parley-compose-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, text);
  // an image that is built here needs a name, so that several services share it
  const rules = { 'no-build-and-image': 0 as const };
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  // its declarations leave out the endings of files, so they say nothing of results
  const results = linter.lintFiles([file], false) as { messages: { type: string; message: string }[] }[];
  return results.flatMap(({ messages }) =>
    messages.filter(({ type }) => type === 'error').map(({ message }) => message),
  );
}

it('fits the Compose Specification', () => {
  const text = read('docker-compose.yml');
  expect(errorsIn(text)).toEqual([]);
  expect(errorsIn(text.replace('cap_drop:', 'cap_dorp:'))).toEqual([expect.stringMatching(/schema|additional/i)]);
  expect(errorsIn(text.replace('"127.0.0.1:9090:9090"', '"9090:9090"'))).not.toEqual([]);
});

it('has the whole topology', () => {
  const names = ['grafana', 'haproxy', 'node1', 'node2', 'openldap', 'prometheus', 'redis', 'secrets', 'snmp'];
  expect(Object.keys(compose.services).sort()).toEqual(names);
});

it('names files, volumes, networks and services that there are, and none for nothing', () => {
  const builds = services.flatMap(([, { build }]) =>
    build === undefined ? [] : [join(build.context, build.dockerfile ?? 'Dockerfile')],
  );
  const files = [...builds, ...mounts.map(({ source }) => source).filter((source) => source.includes('/'))];
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);

  const volumes = mounts.map(({ source }) => source).filter((source) => !source.includes('/'));
  expect([...new Set(volumes)].sort()).toEqual(Object.keys(compose.volumes).sort());
  const networks = services.flatMap(([, service]) => service.networks ?? []);
  expect([...new Set(networks)].sort()).toEqual(Object.keys(compose.networks).sort());
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const its = compose.services[other];
      expect(its, `${name} waits for ${other}`).toBeDefined();
      if (condition === 'service_completed_successfully') expect(its?.restart).toBeUndefined();
      else expect(its?.healthcheck?.test, `${name} waits for the health of ${other}`).toBeDefined();
    }
  }
});

it('has a health check of whatever stays, as `up --wait` asks for, and each is one of the service itself', () => {
  for (const [name, { healthcheck }] of services) {
    if (name === 'secrets') expect(healthcheck).toBeUndefined();
    else
      expect([healthcheck?.disable, healthcheck?.test?.[0]], name).toEqual([undefined, expect.stringMatching(/^CMD/)]);
  }
});

it('takes images of one version, and listens on the loopback interface alone', () => {
  for (const [name, { image, build, ports = [] }] of services) {
    expect(image, name).toMatch(
      build === undefined ? /^[a-z/]+:v?\d+\.\d+\.\d+(-alpine)?$/ : /^[a-z-]+:demonstration$/,
    );
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:(\d+):\1(\/udp)?$/);
  }
  expect(read('deploy/demo/openldap/Dockerfile')).toMatch(/^FROM debian:bookworm-\d{8}-slim$/m);
  expect(read('docker-compose.yml')).not.toContain('latest');
});

it('gives nobody more than they need', () => {
  for (const [name, service] of services) {
    const { read_only, cap_drop, cap_add = [], security_opt, restart, user } = service;
    expect({ read_only, cap_drop, security_opt }, name).toEqual({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    if (name === 'secrets') {
      expect([user, service.network_mode, restart, cap_add]).toEqual([
        '0:0',
        'none',
        undefined,
        ['CHOWN', 'DAC_OVERRIDE'],
      ]);
    } else {
      expect([restart, cap_add], name).toEqual(['unless-stopped', []]);
      if (name !== 'haproxy') expect(user, name).toMatch(/^[1-9]\d*:\d+$/); // its image runs as haproxy
    }
  }
  // what is mounted from the project is read, and secrets are written once
  expect(mounts.filter(({ source, writable }) => source.includes('/') && writable)).toEqual([]);
  for (const { service, target, writable } of mounts.filter(({ source }) => source.endsWith('-secrets'))) {
    expect(writable, `${service} ${target}`).toBe(service === 'secrets');
  }
  expect(compose.networks.storage?.internal).toBe(true);
  expect(compose.services.redis?.networks).toEqual(['storage']);
});

it('holds no secret, and gives each to the user of its container', () => {
  expect(services.flatMap(([, { environment = {} }]) => Object.entries(environment)).sort()).toEqual(
    [
      ['GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES', 'false'],
      ['GF_ANALYTICS_CHECK_FOR_UPDATES', 'false'],
      ['GF_ANALYTICS_REPORTING_ENABLED', 'false'],
      ['GF_AUTH_ANONYMOUS_ENABLED', 'true'],
      ['GF_AUTH_ANONYMOUS_ORG_ROLE', 'Viewer'],
      ['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH', '/etc/grafana/dashboards/parley.json'],
      ['GF_PLUGINS_PREINSTALL_DISABLED', 'true'],
      ['GF_SECURITY_ADMIN_PASSWORD__FILE', '/secrets/grafana/admin-password'],
      ['PARLEY_CLUSTER__NAME', 'node1'],
      ['PARLEY_CLUSTER__NAME', 'node2'],
      ['PARLEY_SNMP__METRICS', '[{"host": "127.0.0.1", "port": 9116}]'],
    ].sort(),
  );
  const script = read(mountedAt('secrets', '/usr/local/bin/make-secrets.sh'));
  const folders = mounts.filter(({ service, source }) => service === 'secrets' && source.endsWith('-secrets'));
  expect(folders.map(({ target }) => target).sort()).toEqual(
    ['grafana', 'openldap', 'parley', 'redis'].map((name) => `/secrets/${name}`),
  );
  for (const { source, target } of folders) {
    const [owner] =
      new RegExp(`(?<=chown -R )\\d+:\\d+(?= ${target.replace('/secrets/', '')}$)`, 'm').exec(script) ?? [];
    const readers = mounts.filter((mount) => mount.source === source && mount.service !== 'secrets');
    expect(readers.length, source).toBeGreaterThan(0);
    for (const reader of readers) {
      expect(reader.target).toBe(target);
      expect(compose.services[reader.service]?.user, `${reader.service} reads ${target}`).toBe(owner);
    }
  }
});
