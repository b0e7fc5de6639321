// A server under whose clients everything breaks, again and again. A short form of it runs with all tests;
//
//     npm run chaos -- --nodes 1 --minutes 20 --seed 7 --clients 40
//
// runs it longer, and prints its figures. Faults and their times follow from the seed; what they hit depends on how fast
// the machine is.
import { it } from 'vitest';
import { chaos } from './run.ts';
import { chaosSettings } from './settings.ts';

const settings = chaosSettings('embedded', { seconds: 15, clients: 10, nodes: 1, rate: 100 });

it(
  'whatever breaks, nothing that was acknowledged is lost, doubled or reordered',
  () => chaos(settings),
  settings.seconds * 1000 + 180_000,
);
