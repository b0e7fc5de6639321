import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ConnectionFailure } from './connection-failure.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Something that fails, as a stream does. */
class Failing {
  readonly size = 1;

  fail(): ConnectionFailure {
    return new ConnectionFailure('tls', 'It is over.', { cause: this.cause() });
  }

  cause(): Error {
    return new Error('closed');
  }
}

function failed(): { failure: ConnectionFailure; held: WeakRef<Failing> } {
  const failing = new Failing();
  return { failure: failing.fail(), held: new WeakRef(failing) };
}

test('a failure that is remembered keeps nothing alive of what has failed', async () => {
  const { failure, held } = failed();
  await turn(); // what was made a moment ago is not collected
  collect();
  expect(held.deref()).toBeUndefined();
  expect(failure.stack).toContain('fail');
  expect((failure.cause as Error).stack).toContain('closed');
});
