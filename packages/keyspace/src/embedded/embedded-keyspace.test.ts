import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openKeyspace } from '../open.ts';
import { conformance } from '../testing/conformance.ts';

conformance('memory', (options) => openKeyspace('embedded::memory:', options));

const folder = mkdtempSync(join(tmpdir(), 'parley-keyspace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

conformance('embedded', (options) => {
  count += 1;
  return openKeyspace(`embedded:${join(folder, String(count))}`, options);
});
