import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KeytabError, readKeytab } from './keytab.ts';

const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

function entry(components: string[], realm: string, short: number, long?: number): Buffer {
  const count = Buffer.from([0, components.length]);
  const name = [count, text(realm), ...components.map(text), number(1), number(1_700_000_000)];
  const key = [Buffer.from([short]), Buffer.from([0, 18]), text('a key of thirty-two bytes, nearly')];
  const body = Buffer.concat([...name, ...key, ...(long === undefined ? [] : [number(long)])]);
  return Buffer.concat([number(body.length), body]);
}

function file(...parts: Buffer[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-keytab-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'keytab'), Buffer.concat(parts));
  return join(folder, 'keytab');
}

const MAGIC = Buffer.from([5, 2]);

describe('readKeytab', () => {
  test('tells names and versions, and leaves out what was removed', () => {
    const removed = Buffer.concat([number(-20), Buffer.alloc(20, 7)]);
    const parts = [entry(['xmpp', 'chat.example.com'], 'EXAMPLE.COM', 3), removed, entry(['host', 'a'], 'R', 1, 257)];
    expect(readKeytab(file(MAGIC, ...parts))).toEqual([
      { principal: 'xmpp/chat.example.com@EXAMPLE.COM', version: 3 },
      { principal: 'host/a@R', version: 257 },
    ]);
    expect(readKeytab(file(MAGIC))).toEqual([]);
  });

  test('refuses what is none, what is damaged, and what is not there', () => {
    expect(() => readKeytab(file(Buffer.from('-----BEGIN')))).toThrow(KeytabError);
    expect(() => readKeytab(file())).toThrow(KeytabError);
    expect(() => readKeytab(file(MAGIC, entry(['xmpp', 'a'], 'R', 1).subarray(0, 30)))).toThrow(KeytabError);
    expect(() => readKeytab('/nowhere/at.all')).toThrow(/ENOENT/);
  });

  test('gives entries or says that it is damaged, whatever stands there', () => {
    const path = file();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        writeFileSync(path, Buffer.concat([MAGIC, bytes]));
        try {
          readKeytab(path);
        } catch (error) {
          expect(error).toBeInstanceOf(KeytabError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
