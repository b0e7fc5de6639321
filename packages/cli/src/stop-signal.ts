import { constants } from 'node:os';

/** Signals that stop a node. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * So long one and the same Ctrl-C may come again: the terminal sends it to npm and to the node, and npm hands its own on to
 * the node.
 */
const AGAIN_MS = 1000;

interface Process {
  readonly pid: number;
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  removeAllListeners(signal: NodeJS.Signals): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  exit(code: number): unknown;
}

/** The first signal to stop. Whoever sends another one later than that does not want to wait: it ends the process. */
export function stopSignal(own: Process = process, now: () => number = () => performance.now()): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let first: number | undefined;
  for (const signal of SIGNALS) {
    own.on(signal, () => {
      if (first === undefined) {
        first = now();
        resolve(signal);
      } else if (now() - first > AGAIN_MS) {
        own.removeAllListeners(signal); // so that it does what it does to any other process
        own.kill(own.pid, signal);
        // signals that are not listened for do nothing to the first process of a container
        if (own.pid === 1) own.exit(128 + constants.signals[signal]);
      }
    });
  }
  return promise;
}
