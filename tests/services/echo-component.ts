import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface EchoComponent {
  /** Where it connects. */
  readonly port: number;
  readonly domain: string;
  readonly secret: string;
  /** What it answers with, and what it says that it is called. */
  readonly name: string;
}

/** It only keeps a test from waiting for ever, in milliseconds. */
const PATIENCE = 60_000;

/** A component written with @xmpp/component, in a process of its own; resolves when it has said this, and rejects where it gives up. Ends with the test. */
export async function startEchoComponent(
  { port, domain, secret, name }: EchoComponent,
  says = /online/,
): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../interop/xmpp-component.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, String(port), domain, secret, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (says.test(line)) break;
  }
  clearTimeout(late);
  if (says.test(said.at(-1) ?? '')) return child;
  throw new Error(`The component ${name} has not said ${says}, but:\n${said.join('\n')}`);
}
