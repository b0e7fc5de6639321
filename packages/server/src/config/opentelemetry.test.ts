import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfiguration } from './load.ts';
import { ConfigurationError } from './problem.ts';

/** The configuration with this section, or what is wrong with it, as operators read it. */
function loaded(opentelemetry: object) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), 'Bearer 12345\n');
  const file = join(folder, 'parley.json');
  writeFileSync(file, JSON.stringify({ opentelemetry }));
  try {
    return loadConfiguration({ file, env: {} }).opentelemetry;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ path, problem, cure }) => `${path} ${problem}: ${cure}`).join('\n');
  }
}

const endpoint = 'http://127.0.0.1:4318';

test('is off where nothing is said', () => {
  expect(loaded({})).toMatchObject({ endpoint: '', headers: [], traces: { ratio: 0 }, metrics: { enabled: true } });
});

test('takes what proves who asks from a file', () => {
  const headers = [{ name: 'Authorization', valueFile: 'token' }];
  expect(loaded({ endpoint: 'https://collector.example/otlp', headers })).toMatchObject({
    endpoint: 'https://collector.example/otlp',
    headers: [{ name: 'Authorization', value: 'Bearer 12345' }],
  });
});

test.each([
  'collector:4318',
  '127.0.0.1:4318',
  'grpc://127.0.0.1:4317',
  'http://user:word@127.0.0.1:4318',
  'http://127.0.0.1:4318/?key=1',
  'http://127.0.0.1:4318/#x',
  'http://',
])('takes no %s for a collector', (wrong) => {
  expect(loaded({ endpoint: wrong })).toMatch(/^opentelemetry\.endpoint is no address of a collector: write http:/);
});

test.each([
  [{ traces: { ratio: 0.1 } }, /^opentelemetry\.endpoint is missing: .*traces\.ratio/],
  [{ endpoint, traces: { ratio: 1.5 } }, /^opentelemetry\.traces\.ratio is 1\.5: /],
  [{ endpoint, traces: { ratio: '1 %' } }, /^opentelemetry\.traces\.ratio is "1 %": /],
  [{ endpoint, protocol: 'grpc' }, /^opentelemetry\.protocol is "grpc": .*http\/protobuf/],
  [{ endpoint, metrics: { intervalSeconds: 0 } }, /^opentelemetry\.metrics\.intervalSeconds is 0: /],
  [{ endpoint, interval: 5 }, /^opentelemetry\.interval is not an option: /],
  [{ endpoint, headers: [{ name: 'a b', value: 'x' }] }, /^opentelemetry\.headers\[0\]\.name is no name of a header: /],
  [{ endpoint, headers: [{ name: 'Content-Type', value: 'x' }] }, /headers\[0\]\.name is a header that .*: leave it/],
  [{ endpoint, headers: [{ name: 'x-key' }] }, /^opentelemetry\.headers\[0\]\.value is missing: .*valueFile/],
  [
    { endpoint, headers: [{ name: 'x-key', valueFile: 'none' }] },
    /headers\[0\]\.valueFile cannot be read \(ENOENT\): /,
  ],
  [
    {
      endpoint,
      headers: [
        { name: 'x-key', value: 'a' },
        { name: 'X-Key', value: 'b' },
      ],
    },
    /^opentelemetry\.headers\[1\]\.name is that of another header, too: /,
  ],
])('tells where %o is wrong, and what to write', (wrong, message) => {
  expect(loaded(wrong)).toMatch(message);
});

test('never shows what a header says', () => {
  const problem = loaded({ endpoint, headers: [{ name: 'x-key', value: 'of the\ntests alone' }] });
  expect(problem).toMatch(/headers\[0\]\.value is not what a header may say: /);
  expect(problem).not.toContain('alone');
});
