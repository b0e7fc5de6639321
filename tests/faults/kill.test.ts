import { it } from 'vitest';
import { Killing } from './kill.ts';

it('loses nothing that was acknowledged when the node is killed, and keeps nothing twice', async () => {
  const killing = new Killing();
  await killing.begin();
  for (let round = 0; round < 5; round++) await killing.round(1 + Math.floor(Math.random() * 150));
  await killing.round(1);
});
