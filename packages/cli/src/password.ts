import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Usage } from './exit.ts';

/** The longest line taken from standard input. */
const MOST_BYTES = 4096;

/** A new password: asked for twice at a terminal without showing it, else the first line of standard input. */
export function newPassword(jid: string): Promise<string> {
  return process.stdin.isTTY ? askTwice(jid) : firstLine();
}

/** Somebody's own password: asked for once at a terminal without showing it, else the first line of standard input. */
export function currentPassword(jid: string): Promise<string> {
  return process.stdin.isTTY ? atTerminal((ask) => ask(`Password of ${jid}: `)) : firstLine();
}

function askTwice(jid: string): Promise<string> {
  return atTerminal(async (ask) => {
    const password = await ask(`Password for ${jid}: `);
    if (password !== (await ask('Once more: '))) throw new Usage('The two are not the same: nothing was changed.');
    return password;
  });
}

async function atTerminal(talk: (ask: (question: string) => Promise<string>) => Promise<string>): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // from here on the terminal shows nothing that is typed, be it before the question
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const answers = lines[Symbol.asyncIterator]();
  try {
    return await talk(async (question) => {
      process.stderr.write(question);
      const { value, done } = await answers.next();
      process.stderr.write('\n');
      if (done || value === '') throw new Usage('There is no password: nothing was changed.');
      return value;
    });
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
