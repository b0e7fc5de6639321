// Set up before each file of tests.
import { vi } from 'vitest';

// vitest takes back before each test what the one before it has stubbed: too late for what a file does before its first one.
vi.unstubAllEnvs();
vi.unstubAllGlobals();

// What tests wait for comes when the machine gets to it. How long that is allowed to take only keeps a test from waiting for
// ever; vitest's own second for `vi.waitFor` and `vi.waitUntil` is a guess about the machine.

type Options = { timeout?: number; interval?: number; message?: string };

/** In milliseconds, as is `expect.poll.timeout` in vitest.config.ts. */
const PATIENCE = 60_000;

const { waitFor, waitUntil } = vi;
const patient = Symbol.for('patient');

// files that are not isolated share vitest, and with it what was set up for the one before
if (!(patient in waitFor)) {
  const longer = (options: number | Options = {}): Options =>
    typeof options === 'number' ? { timeout: options } : { timeout: PATIENCE, ...options };
  const waitPatiently: typeof waitFor = (callback, options) => waitFor(callback, longer(options));
  vi.waitFor = Object.assign(waitPatiently, { [patient]: true });
  vi.waitUntil = (callback, options) => waitUntil(callback, longer(options));
}
