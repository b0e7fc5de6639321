import { FilterParser, SearchRequest } from 'ldapts';
import { expect, it } from 'vitest';
import {
  type AnsweredResult,
  entryAnswer,
  intermediateAnswer,
  resultAnswer,
} from '../../../../../../tests/services/ldap-answers.ts';
import { berEncode } from './ber.ts';
import { RESPONSE, readEntry, readMessage } from './message.ts';
import { ConnectionLost, RawConnection, SASL_BIND_IN_PROGRESS, type Wire } from './raw-connection.ts';

/** The other end of a connection, written by hand. */
class Script implements Wire {
  handler: Wire['handler'] = { onData() {}, onClose() {} };
  readonly sent: number[] = [];
  paused = false;
  destroyed = false;

  write(bytes: Uint8Array): void {
    this.sent.push(readMessage(Buffer.from(bytes)).operation);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  destroy(): void {
    this.destroyed = true;
  }

  end(): void {}

  result(id: number, operation: number, result: AnsweredResult = {}): void {
    this.handler.onData(resultAnswer(id, operation, result));
  }

  entry(id: number, dn: string): void {
    this.handler.onData(entryAnswer(id, dn));
  }
}

const everything = () =>
  new SearchRequest({ messageId: 0, baseDN: 'o=x', filter: FilterParser.parseString('(objectClass=*)') });

it('goes through a SASL exchange step by step', async () => {
  const wire = new Script();
  const connection = new RawConnection(wire);
  const first = connection.bind({ mechanism: 'SCRAM-SHA-256', credentials: 'n,,n=romeo,r=abc' });
  wire.result(1, RESPONSE.bind, { code: SASL_BIND_IN_PROGRESS, more: [berEncode(0x87, 'r=abcdef,s=x,i=4096')] });
  expect(await first).toMatchObject({ code: 14, credentials: Buffer.from('r=abcdef,s=x,i=4096') });
  const second = connection.bind({ mechanism: 'SCRAM-SHA-256', credentials: 'c=biws,r=abcdef,p=y' });
  wire.result(2, RESPONSE.bind, { code: 49, diagnostic: 'SASL(-13): authentication failure' });
  expect(await second).toMatchObject({
    code: 49,
    diagnostic: 'SASL(-13): authentication failure',
    credentials: undefined,
  });
});

it('brings what a search finds while it goes on, and abandons it when nobody wants more', async () => {
  const wire = new Script();
  const connection = new RawConnection(wire);
  const search = connection.search(everything());
  wire.entry(1, 'cn=a');
  wire.handler.onData(intermediateAnswer(1, '1.2.3', Buffer.from('value')));
  const seen: number[] = [];
  for await (const message of search) {
    seen.push(message.operation);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual([RESPONSE.entry, RESPONSE.intermediate]);
  expect(wire.sent).toEqual([0x63, 0x50]);
  wire.entry(1, 'cn=late');
  expect(connection.isOpen).toBe(true);
});

it('listens no more to a directory that is faster than its reader', async () => {
  const wire = new Script();
  const search = new RawConnection(wire).search(everything());
  let sent = 0;
  while (!wire.paused) wire.entry(1, `cn=${sent++}`);
  expect(sent).toBeLessThan(1000);
  wire.result(1, RESPONSE.searchDone);
  const names: string[] = [];
  for await (const message of search) if (message.operation === RESPONSE.entry) names.push(readEntry(message).dn);
  expect(names).toHaveLength(sent);
  expect(wire.paused).toBe(false);
});

it.each([
  ['garbage', (wire: Script) => wire.handler.onData(Buffer.from('GET / HTTP/1.1\r\n')), /something else than an LDAP/],
  ['an answer to another question', (wire: Script) => wire.result(1, RESPONSE.modify), /something else than what/],
  [
    'a notice of disconnection',
    (wire: Script) => wire.result(0, RESPONSE.extended, { code: 52, diagnostic: 'going down' }),
    /going down/,
  ],
  ['the end', (wire: Script) => wire.handler.onClose('ECONNRESET'), /ECONNRESET/],
])('fails whatever is open at %s', async (_, happen, reason) => {
  const wire = new Script();
  const connection = new RawConnection(wire);
  const bind = connection.bind({ dn: 'cn=x', password: 'y' });
  const search = connection.search(everything());
  happen(wire);
  await expect(bind).rejects.toThrow(reason);
  await expect(search.next()).rejects.toThrow(ConnectionLost);
  expect((await connection.lost).message).toMatch(reason);
  await expect(connection.bind({ dn: 'cn=x', password: 'y' })).rejects.toThrow(reason);
  expect(wire.destroyed).toBe(true);
});
