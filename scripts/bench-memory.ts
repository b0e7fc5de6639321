// Loaded into a process that is measured, with --expose-gc: tells what memory it needs whenever it is asked, and ends with
// the process that started it.
import { setTimeout as pause } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';

const collect = (globalThis as unknown as { gc(): void }).gc;

process.on('message', async (file: string) => {
  // what finalizers let go of goes with the next one, and code that is not used any more with one of those after it
  for (let times = 0; times < 8; times++) {
    collect();
    await pause(100);
  }
  if (file !== '') writeHeapSnapshot(file);
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapUsed, external, rss });
});
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
