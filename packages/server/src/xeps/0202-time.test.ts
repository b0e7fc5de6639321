import { expect, it } from 'vitest';
import { entityTime } from './0202-time.ts';

it('is the time in UTC, with no trace of where the server stands', () => {
  expect(entityTime(Date.UTC(2006, 11, 19, 17, 58, 35)).toString()).toBe(
    `<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2006-12-19T17:58:35.000Z</utc></time>`,
  );
});
