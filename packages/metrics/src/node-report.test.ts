import { describe, expect, it } from 'vitest';
import { parseNodeReport } from './node-report.ts';
import { Registry } from './registry.ts';

const report = {
  ...new Registry().snapshot('one', 5),
  software: '1.0.0',
  startedAt: 1,
  state: 'up',
  reasons: ['why'],
  associations: [{ kind: 'client', remote: '192.0.2.1', port: 5222, since: 3 }],
};

describe('the report of a node', () => {
  it('comes back as it was written', () => {
    expect(parseNodeReport(JSON.stringify(report))).toEqual(report);
  });

  it.each([
    { software: 1 },
    { startedAt: 'x' },
    { state: 'asleep' },
    { reasons: 'why' },
    { reasons: [1] },
    { associations: [{ kind: 'client' }] },
    { associations: [{ ...report.associations[0], kind: 'else' }] },
    { values: undefined },
  ])('is none with %j', (wrong) => {
    expect(() => parseNodeReport(JSON.stringify({ ...report, ...wrong }))).toThrow();
  });
});
