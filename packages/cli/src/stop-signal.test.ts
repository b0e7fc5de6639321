import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { stopSignal } from './stop-signal.ts';

function processWithClock(pid = 7) {
  const own = Object.assign(new EventEmitter(), { pid, kill: vi.fn(), exit: vi.fn() });
  const clock = { now: 0 };
  return { own, clock, signal: stopSignal(own, () => clock.now) };
}

it('takes a Ctrl-C that npm hands on a moment later for the same one', async () => {
  const { own, clock, signal } = processWithClock();
  own.emit('SIGINT');
  expect(await signal).toBe('SIGINT');
  clock.now = 1000;
  own.emit('SIGINT');
  expect(own.listenerCount('SIGINT')).toBe(1);
  expect(own.kill).not.toHaveBeenCalled();
});

it.each(['SIGINT', 'SIGTERM'])('ends the process by %s where it is told to stop once more', async (second) => {
  const { own, clock, signal } = processWithClock();
  own.emit('SIGTERM');
  expect(await signal).toBe('SIGTERM');
  clock.now = 1001;
  own.emit(second);
  expect(own.listenerCount(second)).toBe(0);
  expect(own.kill.mock.calls).toEqual([[7, second]]);
  expect(own.exit).not.toHaveBeenCalled();
});

it('ends by itself where it is the first process of a container, which signals spare', async () => {
  const { own, clock, signal } = processWithClock(1);
  own.emit('SIGTERM');
  await signal;
  clock.now = 1001;
  own.emit('SIGTERM');
  expect(own.exit.mock.calls).toEqual([[143]]);
});
