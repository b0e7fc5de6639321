import { it } from 'vitest';
import { Killing } from './kill.ts';

it('loses nothing that was acknowledged in 100 deaths of the node, and keeps nothing twice', async () => {
  const killing = new Killing();
  await killing.begin();
  for (let round = 0; round < 100; round++) await killing.round(1 + Math.floor(Math.random() * 1000));
  await killing.round(1);
}, 900_000);
