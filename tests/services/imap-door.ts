import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Exchange } from '../support/sasl-exchange.ts';

/**
 * A server of IMAP that knows how to log in and out, and leaves who may to an exchange of SASL: for clients that know a mechanism
 * and no XMPP. Gives its port; ends with the test.
 */
export async function imapDoor(mechanism: string, begin: () => Exchange): Promise<number> {
  const server = createServer((socket) => void serve(socket, mechanism, begin));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function serve(socket: Socket, mechanism: string, begin: () => Exchange): Promise<void> {
  const say = (line: string) => socket.write(`${line}\r\n`);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async () => ((await lines.next()) as IteratorResult<string, undefined>).value ?? '';
  socket.on('error', () => undefined);
  say('* OK a door');
  for (let line = await next(); line !== ''; line = await next()) {
    const [tag = '', command = '', ...words] = line.split(' ');
    switch (command.toUpperCase()) {
      case 'CAPABILITY':
        say(`* CAPABILITY IMAP4rev1 SASL-IR AUTH=${mechanism}`);
        break;
      case 'AUTHENTICATE': {
        const exchange = begin();
        exchange.begin(Buffer.from(words[1] ?? '', 'base64'));
        let said = await exchange.next();
        for (; said.name === 'challenge'; said = await exchange.next()) {
          say(`+ ${said.text}`);
          exchange.respond(Buffer.from(await next(), 'base64'));
        }
        if (said.name !== 'success') {
          say(`${tag} NO it is not`);
          continue;
        }
        break;
      }
      case 'LOGOUT':
        say('* BYE');
        break;
    }
    say(`${tag} OK`);
  }
  socket.end();
}
