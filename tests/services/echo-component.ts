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

/** A component written with @xmpp/component, in a process of its own; resolves when it has said this. Ends with the test. */
export async function startEchoComponent(
  { port, domain, secret, name }: EchoComponent,
  says = /online/,
): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../interop/xmpp-component.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, String(port), domain, secret, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) if (says.test(line)) break;
  return child;
}
