// One node of a cluster dies with a thousand clients connected:
//
//     npm run chaos:storm -- --clients 3000
//
// measures how long it takes until all of them have their sessions again on the other nodes, and how long everybody
// else's messages take before, meanwhile and after. Nothing may be lost.
import { expect, it } from 'vitest';
import { tell } from './report.ts';
import { chaosSettings } from './settings.ts';
import { Storm } from './storm.ts';

const settings = chaosSettings('redis', { seconds: 0, clients: 3000, nodes: 3, rate: 2 });

it('all clients of a node that dies have their sessions again on the others', async () => {
  const storm = new Storm(settings);
  const figures = await storm.run();
  const { timeline, cluster, ledger } = storm;
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.stdout.write(`${tell({ timeline, cluster, ledger, figures })}\n`);
  expect(ledger.problems().length).toBe(0);
  const { notBack, resumesFailed, ghosts, complete } = figures;
  expect({ notBack, resumesFailed, ghosts, complete }).toEqual({
    notBack: 0,
    resumesFailed: 0,
    ghosts: 0,
    complete: true,
  });
});
