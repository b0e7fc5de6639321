// Whether the simulation would notice: each rule of the server that is broken must show.
import { expect, it } from 'vitest';
import { runSeeds } from './runs.ts';
import { sabotages } from './sabotage.ts';

it.each(sabotages.filter(({ seeds }) => seeds > 0))('notices: $name', { timeout: 180_000 }, async (sabotage) => {
  const { scenario, seeds, begin } = sabotage;
  const mend = begin();
  try {
    expect((await runSeeds(scenario, 1, seeds, { told: 1 })).violations).toHaveLength(1);
  } finally {
    mend();
  }
});
