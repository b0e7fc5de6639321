import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { call } from './call.ts';

const root = resolve(import.meta.dirname, '../../..');

it('is short in the folder of the clone alone', () => {
  expect(call(root)).toBe('npm run parley --');
  expect(call('/elsewhere')).toBe(`node ${root}/scripts/parley.mjs`);
});

it('is a command that runs', () => {
  const { status, stdout, stderr } = spawnSync('node', [join(root, 'scripts/parley.mjs'), '--version'], {
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/), '']);
});

it('names the configuration, as a shell reads it', () => {
  expect(call(root, 'try/parley.yaml')).toBe('npm run parley -- --config try/parley.yaml');
  expect(call(root, "it's mine.yaml")).toBe(String.raw`npm run parley -- --config 'it'\''s mine.yaml'`);
});

it('is the command on PATH where that is the one of this installation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.stubEnv('PATH', `/nowhere:${folder}`);
  symlinkSync(join(root, 'scripts/parley.mjs'), join(folder, 'parley'));
  expect(call('/elsewhere')).toBe(`node ${root}/scripts/parley.mjs`);
  rmSync(join(folder, 'parley'));
  symlinkSync(join(root, 'deploy/parley'), join(folder, 'parley'));
  expect(call('/elsewhere')).toBe('parley');
  expect(call(root, '/etc/parley/parley.yaml')).toBe('parley --config /etc/parley/parley.yaml');
});
