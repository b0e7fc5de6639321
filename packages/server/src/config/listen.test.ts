import { expect, it } from 'vitest';
import { configurationSchema } from './schema.ts';

/** What is wrong with this, with where it stands. */
function problems(config: object): string[] {
  const { error } = configurationSchema([]).safeParse(config);
  return error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];
}

const redis = { keyspace: { url: 'redis://localhost' }, cluster: { secret: 's'.repeat(32) } };

it('shares ports between nodes on Redis alone', () => {
  expect(problems({ listen: { reusePort: true }, ...redis })).toEqual([]);
  expect(problems({ listen: { reusePort: true } })).toEqual([
    'listen.reusePort is for nodes on Redis: with an embedded keyspace each process would be a server of its own',
  ]);
  expect(problems({ listen: { reusePort: false } })).toEqual([]);
});

it('says no more of a port to share than is known', () => {
  expect(problems({ listen: { reusePort: true }, keyspace: { url: 5 } })).toHaveLength(1);
  expect(problems({ listen: 5 })).toHaveLength(1);
});
