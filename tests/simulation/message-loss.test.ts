// Whether the alarm for lost messages would notice: ways of losing entries of a journal, each of which must show in its counts.
import { Backlog } from '@parley/server/session/backlog';
import type { JournalWrite } from '@parley/server/session/resumption/journal-write';
import { ResumptionStore } from '@parley/server/session/resumption/resumption-store';
import { Unacknowledged } from '@parley/server/session/unacknowledged';
import type { Jid } from '@parley/xmpp/jid';
import { expect, it, vi } from 'vitest';
import { runSeeds } from './runs.ts';
import { household, type Scenario } from './scenario.ts';

const { write } = ResumptionStore.prototype;
const { resume, acknowledge } = Unacknowledged.prototype;
const { settle } = Backlog.prototype;

const sabotages: [string, Scenario, () => void][] = [
  [
    'a journal is trimmed of one entry more than was acknowledged',
    household,
    () =>
      vi.spyOn(ResumptionStore.prototype, 'write').mockImplementation(function (
        this: ResumptionStore,
        account: Jid,
        journal: string,
        what: JournalWrite,
      ) {
        const trim = what.trim > 0 && what.entries.length > 0 ? what.trim + 1 : what.trim;
        return write.call(this, account, journal, { ...what, trim });
      }),
  ],
  [
    'a session that is resumed forgets what its client has not got',
    household,
    () =>
      vi.spyOn(Unacknowledged.prototype, 'resume').mockImplementation(function (this: Unacknowledged, h: number) {
        const taken = resume.call(this, h);
        this.takeOut(({ journaled }) => journaled);
        return taken;
      }),
  ],
  [
    'an acknowledgement takes one away that nobody counts',
    household,
    () =>
      vi.spyOn(Unacknowledged.prototype, 'acknowledge').mockImplementation(function (this: Unacknowledged, h: number) {
        return acknowledge.call(this, h).slice(1);
      }),
  ],
  [
    'what was acknowledged on resumption is not counted',
    household,
    () =>
      vi.spyOn(Backlog.prototype, 'settle').mockImplementation(function (this: Backlog, taken, fate) {
        settle.call(this, taken.slice(1), fate);
      }),
  ],
];

it.each(sabotages)('is noticed by the alarm: %s', async (_, scenario, begin) => {
  begin();
  const { violations } = await runSeeds(scenario, 1, 100, { told: 1 });
  expect(violations[0]).toMatch(/UNACCOUNTED .*"missing":[1-9]/);
});
