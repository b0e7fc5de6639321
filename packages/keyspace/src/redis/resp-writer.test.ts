import { expect, it } from 'vitest';
import { RespWriter } from './resp-writer.ts';

it('writes commands as Redis reads them, text as UTF-8 and bytes as they are', () => {
  const writer = new RespWriter();
  writer.command({ name: 'SET', args: ['ключ', Buffer.from([0, 0xff, 13, 10])] });
  writer.command({ name: 'PING', args: [] });
  const bytes = writer.written;
  expect(bytes.toString('latin1')).toBe(
    `*3\r\n$3\r\nSET\r\n$8\r\n${Buffer.from('ключ').toString('latin1')}\r\n$4\r\n\x00\xff\r\n\r\n*1\r\n$4\r\nPING\r\n`,
  );
});

it('grows with what it writes, and begins anew with what comes next', () => {
  const writer = new RespWriter();
  const large = Buffer.alloc(3_000_000, 'x');
  writer.command({ name: 'GET', args: ['a'] });
  writer.command({ name: 'SET', args: ['b', large, 'y'.repeat(200_000)] });
  expect(writer.written.length).toBe(
    20 + 3_200_000 + '*4\r\n$3\r\nSET\r\n$1\r\nb\r\n$3000000\r\n\r\n$200000\r\n\r\n'.length,
  );
  writer.begin(false);
  writer.command({ name: 'GET', args: ['a'] });
  const text = '*2\r\n$3\r\nGET\r\n$1\r\na\r\n';
  expect(String(writer.written)).toBe(text);
});

it('leaves alone what is still needed', () => {
  const writer = new RespWriter();
  writer.command({ name: 'GET', args: ['a'] });
  const first = writer.written;
  writer.begin(true);
  writer.command({ name: 'DEL', args: ['b'] });
  expect([first, writer.written].map((bytes) => String(bytes).split('\r\n')[2])).toEqual(['GET', 'DEL']);
});
