// Nodes on one Redis, under whose clients everything breaks, again and again. A short form of it runs with all tests;
//
//     npm run chaos -- --minutes 20 --seed 7 --clients 100
//
// runs it longer, and prints its figures. Faults and their times follow from the seed; what they hit depends on how fast
// the machine is.
import { it } from 'vitest';
import { chaos } from './run.ts';
import { chaosSettings } from './settings.ts';

const settings = chaosSettings('redis', { seconds: 60, clients: 100, nodes: 3, rate: 5 });

it(
  'whatever breaks in a cluster, nothing that was acknowledged is lost, doubled or reordered',
  () => chaos(settings),
  settings.seconds * 1000 + 240_000,
);
