import { describe, expect, it } from 'vitest';
import { benches, pass } from './membership-bench.ts';

const bench = benches();

describe('a member', () => {
  it('is refused where it does not understand a member that lives, in words', async () => {
    const [a] = await bench().cluster('a');
    const b = bench().node('b', { oldest: 2, newest: 3 });
    const refused = expect(b.join()).rejects.toThrow(
      "'node a' (version 1.0.0) reads 1, this one (version 1.0.0) 2 to 3. Upgrade by way of the versions in between",
    );
    await pass(2500);
    await refused;
    await pass(20_000);
    expect([await bench().entry('b'), a.news()]).toEqual([['undefined'], []]);
  });

  it('is refused where one that lives has another secret, and not once that one has left', async () => {
    const a = await bench().node('a', undefined, '0a').join();
    const refused = expect(bench().node('b', undefined, '0b').join()).rejects.toThrow(
      "This node cannot join the cluster: 'node a' runs with another cluster.secret. Give all nodes the same one. To change it,",
    );
    await pass(2500);
    await refused;
    expect([await bench().entry('b'), a.news()]).toEqual([['undefined'], []]);
    await a.membership.leave();
    const c = await bench().node('c', undefined, '0b').join();
    await c.membership.leave();
  });

  it('waits for a member that it does not understand to be dead for sure, where it is', async () => {
    const [a] = await bench().cluster('a');
    a.kill();
    const b = bench().node('b', { oldest: 2, newest: 3 });
    const joining = b.join();
    await pass(2500);
    expect(await bench().entry('b')).toEqual(['undefined']);
    await pass(3000);
    await joining;
    expect(b.news()).toEqual(['reap a']);
    await b.membership.leave();
  });
});
