import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from '@parley/server/config/load';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { version } from '@parley/server/version';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programOf } from '../services/unprivileged.ts';
import { settingsOf } from './unit-file.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'parley-layout-'));
const inside = (path: string) => join(folder, path);
const install = () =>
  spawnSync('sh', ['deploy/install.sh'], {
    cwd: repository,
    env: { ...process.env, DESTDIR: folder },
    encoding: 'utf8',
  });

beforeAll(() => {
  const { status, stderr } = install();
  if (status !== 0) throw new Error(stderr);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the program says; both streams are as one to whoever reads them. */
function said(program: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(programOf('systemd', program), args, { encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
}

const UNITS = ['parley.service', 'parley@.service', 'parley-snmp.service'];
const unit = (name: string) => readFileSync(inside(`usr/lib/systemd/system/${name}`), 'utf8');

describe('what is installed', () => {
  it('runs, and has nothing in it that only tests use', () => {
    const { status, stdout } = spawnSync(inside('usr/bin/parley'), ['--version'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, `${version}\n`]);
    expect(readdirSync(inside('usr/lib'))).toEqual(['parley', 'systemd', 'sysusers.d', 'tmpfiles.d']);
    const files = globSync('usr/lib/parley/packages/*/src/**/*', { cwd: folder });
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => /\.test\.ts$|testing\b/.test(file))).toEqual([]);
    expect(existsSync(inside('usr/lib/parley/node_modules/vitest'))).toBe(false);
  });

  it('has a configuration that is right, and stays as it is when another version is installed', () => {
    const file = inside('etc/parley/parley.yaml');
    expect(lstatSync(file).mode & 0o777).toBe(0o640);
    const config = loadConfiguration({ file, env: {}, modules: moduleSettings(modules) });
    expect([config.keyspace.url, config.admin.socket]).toEqual(['embedded:/var/lib/parley', '/run/parley/parley.sock']);
    writeFileSync(file, 'domains: [example.org]\n');
    expect(install()).toMatchObject({ status: 0 });
    expect(readFileSync(file, 'utf8')).toBe('domains: [example.org]\n');
    expect(readdirSync(inside('usr/lib')).filter((name) => /parley/.test(name))).toEqual(['parley']);
  });
});

describe('the units', () => {
  /** A root as systemd would find it: what is installed, and what the units name of the system. */
  function root(): string {
    for (const name of ['sysinit', 'basic', 'network-online', 'multi-user', 'shutdown', 'nss-lookup']) {
      writeFileSync(inside(`usr/lib/systemd/system/${name}.target`), '[Unit]\nDescription=of the system\n');
    }
    return folder;
  }

  it.each(['parley.service', 'parley@1.service', 'parley.target', 'parley-snmp.service'])(
    '%s is understood',
    (name) => {
      expect(said('systemd-analyze', 'verify', `--root=${root()}`, '--man=no', '--recursive-errors=no', name)).toEqual({
        status: 0,
        text: '',
      });
    },
  );

  it.each(UNITS)('%s may do little', (name) => {
    const { status, text } = said(
      'systemd-analyze',
      ...['security', '--offline=true', '--threshold=20', inside(`usr/lib/systemd/system/${name}`)],
    );
    expect([status, text.split('\n').findLast((line) => line !== '')]).toEqual([0, expect.stringContaining('OK')]);
  });

  it('are confined alike', () => {
    const confinement = (name: string) => /^# Nothing but its data[\s\S]*?(?=\n\n)/m.exec(unit(name))?.[0];
    expect(confinement('parley.service')).toContain('ProtectSystem=strict');
    for (const name of UNITS) expect(confinement(name)).toBe(confinement('parley.service'));
  });

  it('give each node a name, a socket and a port of its own', () => {
    const environment = (instance: string) =>
      Object.fromEntries(
        settingsOf(unit('parley@.service'), 'Environment').map((line) => {
          const [, name = '', value = ''] = /^'?(\w+)=(.*?)'?$/.exec(line) ?? [];
          return [name, value.replaceAll('%i', instance).replaceAll('%l', 'machine')];
        }),
      );
    const file = inside('node.yaml');
    writeFileSync(file, `keyspace: {url: 'redis://localhost'}\ncluster: {secret: ${'s'.repeat(32)}}\n`);
    const [one, other] = ['1', '12'].map((instance) => {
      const { PARLEY_CONFIG, ...env } = environment(instance);
      expect(PARLEY_CONFIG).toBe('/etc/parley/parley.yaml');
      return loadConfiguration({ file, env, modules: moduleSettings(modules) });
    });
    expect(one?.listen).toMatchObject({ reusePort: true, http: [{ host: '127.0.0.1', port: 5291 }] });
    expect(one?.admin.socket).toBe('/run/parley/1.sock');
    expect(one?.cluster.name).toBe('machine-1');
    expect(other?.listen.http).toEqual([{ host: '127.0.0.1', port: 52_912 }]);
    expect(other?.listen.c2s).toEqual(one?.listen.c2s);
  });

  it('wait longer than a node takes leave', () => {
    const { drain } = loadConfiguration({ env: {}, modules: moduleSettings(modules) });
    for (const name of ['parley.service', 'parley@.service']) {
      expect(Number(settingsOf(unit(name), 'TimeoutStopSec')[0])).toBeGreaterThan(drain.seconds + 10);
    }
  });

  it('take secrets as credentials, under names of options', () => {
    const text = readFileSync(join(repository, 'deploy/systemd/secrets.conf'), 'utf8');
    const credentials = settingsOf(text, 'LoadCredential').map((line) => line.split(':')[0]);
    const variables = settingsOf(text, 'Environment').map((line) => line.split('='));
    expect(variables.map(([, path]) => path)).toEqual(credentials.map((name) => `%d/${name}`));
    for (const [name = ''] of variables) {
      const file = inside('secret');
      writeFileSync(file, 's'.repeat(32));
      expect(() => loadConfiguration({ env: { [name]: file }, modules: moduleSettings(modules) })).not.toThrow();
    }
    const dropIn = inside('usr/lib/systemd/system/parley.service.d');
    mkdirSync(dropIn);
    copyFileSync(join(repository, 'deploy/systemd/secrets.conf'), join(dropIn, 'secrets.conf'));
    expect(said('systemd-analyze', 'verify', `--root=${root()}`, '--man=no', 'parley.service').text).toBe('');
  });
});

it('the user and the folders are understood', () => {
  mkdirSync(inside('run'), { recursive: true });
  expect(said('systemd-sysusers', `--root=${folder}`, '--dry-run', 'parley.conf')).toMatchObject({ status: 0 });
  if (process.getuid?.() !== 0) return; // only root may give folders away
  const made = said('systemd-sysusers', `--root=${folder}`, 'parley.conf');
  expect(made, made.text).toMatchObject({ status: 0 });
  expect(readFileSync(inside('etc/passwd'), 'utf8')).toMatch(
    /^parley:x:\d+:\d+:Parley XMPP server:\/var\/lib\/parley:/m,
  );
  const { status, text } = said('systemd-tmpfiles', `--root=${folder}`, '--create', 'parley.conf');
  expect([status, text]).toEqual([0, '']);
  expect(lstatSync(inside('run/parley')).mode & 0o777).toBe(0o700);
  expect(lstatSync(inside('etc/parley')).mode & 0o777).toBe(0o750);
});
