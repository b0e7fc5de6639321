import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { Installation } from '../support/process.ts';

const ROOT = process.getuid?.() === 0;
/** Whom the service runs as: nobody, or whoever runs the tests where that is not root. */
const SERVICE = ROOT ? 65_534 : (process.getuid?.() ?? 0);

/** Everything that is not the service's. */
const others = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).uid !== SERVICE);

/** Opens the data as the service does. */
function openAsService(file: string): void {
  if (ROOT) process.seteuid?.(SERVICE);
  try {
    const db = new DatabaseSync(file);
    db.exec('BEGIN IMMEDIATE; COMMIT');
    db.close();
  } finally {
    if (ROOT) process.seteuid?.(0);
  }
}

test.each(['no folder', 'an empty folder'])(
  'what root makes where the service has %s is the service’s',
  async (what) => {
    const parts = what === 'no folder' ? ['var', 'data', 'of', 'it'] : ['var', 'data'];
    const ours = new Installation();
    const folder = join(ours.folder, ...parts);
    ours.configure({ keyspace: { url: `embedded:${folder}` }, audit: { file: join(ours.folder, 'var', 'audit.log') } });
    mkdirSync(join(ours.folder, 'var', ...(what === 'no folder' ? [] : ['data'])), { recursive: true });
    if (ROOT)
      for (const path of [ours.folder, join(ours.folder, 'var'), ...(what === 'no folder' ? [] : [folder])])
        chownSync(path, SERVICE, SERVICE);
    await ours.account('juliet@localhost');
    expect(others(join(ours.folder, 'var'))).toEqual([]);
    openAsService(join(folder, 'keyspace.sqlite'));
    if (what === 'no folder') return;

    for (const command of ['backup', 'restore'])
      expect((await ours.parley([command, join(ours.folder, 'backup')])).code).toBe(0);
    expect(others(join(ours.folder, 'var'))).toEqual([]);
    openAsService(join(folder, 'keyspace.sqlite'));
  },
);
