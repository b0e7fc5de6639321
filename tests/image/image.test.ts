import { existsSync, globSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { version } from '@parley/server/version';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importsOf } from '../architecture.ts';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';
import { logIn } from '../support/network.ts';
import { type Image, layOut } from './build.ts';
import { Containers } from './container.ts';

let image: Image;
beforeAll(() => {
  image = layOut();
});
afterAll(() => image?.[Symbol.dispose]());

const parley = (...path: string[]) => image.tree.path(join('opt/parley', ...path));

describe('the files of the image', () => {
  it('are those that run', () => {
    expect(readdirSync(parley()).sort()).toEqual(['LICENSE', 'deploy', 'node_modules', 'packages', 'sbom.cdx.json']);
    const packages = globSync('packages/*/package.json', { cwd: join(import.meta.dirname, '../..') });
    expect(readdirSync(parley('packages'))).toHaveLength(packages.length);
    for (const name of readdirSync(parley('packages'))) {
      const files = readdirSync(parley('packages', name)).filter((file) => file !== 'node_modules');
      expect(files.sort(), name).toEqual(['package.json', 'src']);
    }
    expect(globSync('packages/*/src/**/*{.test.ts,-testing.ts,testing/**}', { cwd: parley() })).toEqual([]);
  });

  it('are the packages of the bill of materials, and no others', () => {
    const bom = JSON.parse(readFileSync(parley('sbom.cdx.json'), 'utf8'));
    const listed = bom.components.flatMap(({ group, name, version }: Record<'group' | 'name' | 'version', string>) =>
      group === '@parley' ? [] : [`${group ? `${group}/` : ''}${name}@${version}`],
    );
    const manifests = globSync('node_modules/.pnpm/*/node_modules/{*,@*/*}/package.json', { cwd: parley() })
      .filter((path) => !lstatSync(dirname(parley(path))).isSymbolicLink())
      .map((path) => JSON.parse(readFileSync(parley(path), 'utf8')));
    const installed = manifests.map((manifest) => `${manifest.name}@${manifest.version}`);
    expect(installed.sort()).toEqual(listed.sort());
    expect(installed).toContainEqual(expect.stringMatching(/^node-linux-/));
    expect(
      installed.filter((name) => /^(vitest|typescript|@biomejs|fast-check|testcontainers|npm|pnpm)/.test(name)),
    ).toEqual([]);
  });

  it('import nothing that is not there', () => {
    const missing: string[] = [];
    for (const file of globSync('packages/*/src/**/*.ts', { cwd: parley() })) {
      const home = file.split('/').slice(0, 2).join('/');
      for (const name of importsOf(readFileSync(parley(file), 'utf8'), true)) {
        const [, own, rest] = /^@parley\/([^/]+)\/(.+)$/.exec(name) ?? [];
        const target = own
          ? parley('packages', own, 'src', `${rest}.ts`)
          : name.startsWith('.')
            ? parley(dirname(file), name)
            : parley(home, 'node_modules', /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '');
        if (!name.startsWith('node:') && !existsSync(target)) missing.push(`${file}: ${name}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('belong to whoever made them; all may read them, and nobody else may change them', () => {
    const own = process.getuid?.();
    const open = globSync('**/*', { cwd: parley(), withFileTypes: true })
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => {
        const { uid, mode } = lstatSync(path);
        const readable = lstatSync(path).isDirectory() ? 0o55 : (mode & 0o100) !== 0 ? 0o55 : 0o44;
        return !lstatSync(path).isSymbolicLink() && (uid !== own || (mode & 0o6077) !== readable);
      });
    expect(open).toEqual([]);
    expect(image.settings.user).toBe('10001:10001');
  });
});

describe('a container', () => {
  it('has a configuration that is right, and its own Node.js', async () => {
    const containers = new Containers(image);
    expect(await containers.parley('check')).toMatchObject({ code: 0, stderr: '' });
    // on PATH it is the service's configuration that it takes, where nobody names another one
    const unnamed = await containers.run(['/bin/sh', '-c', 'unset PARLEY_CONFIG; exec parley check']);
    const own = image.tree.confined ? '/etc/parley/parley.yaml is good.' : 'There is no file: the defaults are used.';
    expect(unnamed).toMatchObject({ code: 0, stdout: `${own}\n` });
    expect(await containers.parley('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const node = '/opt/parley/node_modules/.bin/node';
    expect(readFileSync(parley('deploy/parley'), 'utf8')).toContain('$root/node_modules/.bin/node');
    expect(await containers.run([node, '--version'])).toMatchObject({ code: 0, stdout: `${process.version}\n` });
    if (process.getuid?.() !== 0) return; // the files are those of whoever runs the tests, then
    for (const path of ['/opt/parley/new', '/etc/parley/new', '/usr/local/bin/new']) {
      expect((await containers.run(['/bin/sh', '-c', `echo > ${path}`])).code, path).not.toBe(0);
    }
  });

  it('is a node, another one its SNMP agent, and people chat until it is told to stop', async () => {
    const containers = new Containers(image);
    const { health } = image.settings;
    const data = image.tree.confined ? '/var/lib/parley' : image.tree.path('var/lib/parley');
    containers.configure({
      keyspace: { url: `embedded:${data}` },
      admin: { socket: `${data}/parley.sock` },
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [] },
      snmp: { port: 0, users: [MANAGER] },
    });
    expect(await containers.run(health)).toMatchObject({ code: 3 });
    const node = await containers.start();
    expect(await containers.run(health)).toEqual({ code: 0, stdout: 'live\n', stderr: '' });
    expect(node.stderr).toContain('\n  parley --config');
    const status = JSON.parse((await containers.parley('status', '--json')).stdout);
    expect(status.pid).toBe(image.tree.confined ? 1 : node.child.pid);

    for (const name of ['romeo', 'juliet']) {
      const added = await containers.run(
        [...image.settings.entrypoint, 'account', 'add', `${name}@localhost`],
        'secret\n',
      );
      expect(added, added.stderr).toMatchObject({ code: 0 });
    }
    const port = node.port('c2s');
    const romeo = await logIn(port, 'romeo@localhost/orchard');
    const juliet = await logIn(port, 'juliet@localhost/balcony');
    romeo.send(`<message to='juliet@localhost/balcony' type='chat'><body>I would I were thy bird.</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe('I would I were thy bird.');

    const agent = await containers.start(['snmp'], 'snmp.started');
    using manager = new SnmpManager(Number((await agent.event('snmp.started')).port));
    expect(await manager.get('1.3.6.1.2.1.1.1.0')).toContain('XMPP');
    containers.stop(agent);
    expect(await agent.exited).toBe(0);

    containers.stop(node);
    for (const client of [romeo, juliet]) {
      expect((await client.take(({ name }) => name === 'error')).firstChild?.name).toBe('system-shutdown');
    }
    expect(await node.exited).toBe(0);
    expect(node.log.filter(({ level }) => level !== 'info')).toEqual([]);
    expect(await containers.run(health)).toMatchObject({ code: 3 });
  });
});
