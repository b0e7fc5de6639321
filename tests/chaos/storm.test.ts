// All clients of a node come back at once, each by its token and to its session in one round trip; the long form with
// thousands, and what they and everybody else wait for, is
//
//     npm run chaos:storm -- --fast --clients 2000
import { expect, it } from 'vitest';
import { tell } from './report.ts';
import { chaosSettings } from './settings.ts';
import { Storm } from './storm.ts';

const numbers = { seconds: 0, clients: 150, nodes: 2, rate: 2 };
const settings = chaosSettings('redis', numbers, { move: true, fast: true, calm: 300 });

it('all clients that come back by tokens have their sessions again, and nothing is lost', async () => {
  const storm = new Storm(settings);
  const figures = await storm.run();
  const { timeline, cluster, ledger } = storm;
  expect(ledger.problems(), tell({ timeline, cluster, ledger, figures })).toEqual([]);
  const { notBack, resumesFailed, ghosts, complete, victims, byToken } = figures;
  expect({ notBack, resumesFailed, ghosts, complete }).toEqual({
    notBack: 0,
    resumesFailed: 0,
    ghosts: 0,
    complete: true,
  });
  expect(byToken).toBeGreaterThanOrEqual(victims);
});
