import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Usage } from './exit.ts';

/** The longest line taken from standard input. */
const MOST_BYTES = 4096;

/** A new password: asked for twice at a terminal without showing it, else the first line of standard input. */
export async function newPassword(jid: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const password = await ask(`Password for ${jid}: `);
  if (password !== (await ask('Once more: '))) throw new Usage('The two are not the same: nothing was changed.');
  return password;
}

async function firstLine(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n')) break;
    if (text.length > MOST_BYTES) throw new Usage('The password on standard input is too long.');
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw new Usage('There is no password on standard input: give it as one line.');
  return line;
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
