// A process that runs seeds for another one (see seeds-processes.ts).
import { runSeeds } from './runs.ts';
import { scenarioNamed } from './scenario.ts';
import type { Seeds } from './seeds-processes.ts';

process.on('message', async ({ scenario, first, count }: Seeds) => {
  process.send?.(await runSeeds(scenarioNamed(scenario), first, count));
});
process.on('disconnect', () => process.exit());
