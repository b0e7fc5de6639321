import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Usage } from './exit.ts';

/** The longest line taken from standard input. */
const MOST_BYTES = 4096;

/** A new password: asked for twice at a terminal without showing it, else the first line of standard input. */
export function newPassword(jid: string): Promise<string> {
  return process.stdin.isTTY ? askTwice(jid) : firstLine();
}

async function askTwice(jid: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // from here on the terminal shows nothing that is typed, be it before the question
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const answers = lines[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    process.stderr.write(question);
    const { value, done } = await answers.next();
    process.stderr.write('\n');
    if (done || value === '') throw new Usage('There is no password: nothing was changed.');
    return value;
  };
  try {
    const password = await ask(`Password for ${jid}: `);
    if (password !== (await ask('Once more: '))) throw new Usage('The two are not the same: nothing was changed.');
    return password;
  } finally {
    lines.close();
  }
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
