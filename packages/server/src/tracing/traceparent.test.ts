import { expect, it } from 'vitest';
import { parseTraceparent, traceparent } from './traceparent.ts';

const [TRACE, SPAN] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

it('names a span as W3C Trace Context does', () => {
  expect(traceparent({ traceId: TRACE, spanId: SPAN })).toBe(`00-${TRACE}-${SPAN}-01`);
});

it.each([
  ['this version', `00-${TRACE}-${SPAN}-01`],
  ['a later version, with more in it', `cc-${TRACE}-${SPAN}-09-what-comes-then`],
])('reads %s', (_, text) => {
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN });
});

it.each([
  ['nothing', ''],
  ['a version that there never is', `ff-${TRACE}-${SPAN}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['too much', `00-${TRACE}0-${SPAN}-01`],
  ['too little', `00-${TRACE}-${SPAN}`],
  ['something behind it', `00-${TRACE}-${SPAN}-01x`],
])('reads none in %s', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});
