import { describe, expect, it } from 'vitest';
import { benches, pass } from './membership-bench.ts';

const bench = benches();

describe('being one', () => {
  it('is sure while the last beat is young, and is asked for where it is not', async () => {
    const [a] = await bench().cluster('a');
    expect(a.membership.confirmed()).toBeUndefined();
    a.cut();
    await pass(4000);
    let known = false;
    const confirmed = a.membership.confirmed();
    expect(a.membership.confirmed()).toBe(confirmed);
    void confirmed?.then(() => {
      known = true;
    });
    await pass(2000);
    expect([confirmed instanceof Promise, known]).toEqual([true, false]);
    a.heal();
    await pass(50);
    expect([known, a.membership.confirmed()]).toEqual([true, undefined]);
  });

  it('is over where others have declared it dead, or it has left', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    await pass(10_000);
    b.freeze();
    await pass(15_000);
    const confirmed = expect(b.membership.confirmed()).rejects.toMatchObject({ failure: 'closed' });
    b.thaw();
    await pass(50);
    await confirmed;
    await expect(b.membership.confirmed()).rejects.toMatchObject({ failure: 'closed' });
    await a.membership.leave();
    await expect(a.membership.confirmed()).rejects.toMatchObject({ failure: 'closed' });
  });
});
