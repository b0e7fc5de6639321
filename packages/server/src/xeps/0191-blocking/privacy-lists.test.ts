import { elementFromText } from '@parley/xmpp/element-text';
import { expect, it } from 'vitest';
import { blockedByPrivacyLists } from './privacy-lists.ts';

const read = (content: string) => {
  const { jids, problems } = blockedByPrivacyLists(
    elementFromText(`<query xmlns='jabber:iq:privacy'>${content}</query>`),
  );
  return [[...jids], problems.length];
};
const deny = (value: string, content = '') =>
  `<item type='jid' value='${value}' action='deny' order='1'>${content}</item>`;

it('blocks whom the default list denies everything', () => {
  const all = '<message/><iq/><presence-in/><presence-out/>';
  const list = `${deny('tybalt@example.com')}${deny('Example.org')}${deny('a@b', all)}<item action='allow' order='9'/>`;
  expect(read(`<default name='b'/><list name='b'>${list}</list>`)).toEqual([
    ['tybalt@example.com', 'example.org', 'a@b'],
    0,
  ]);
});

it.each([
  ['a part alone', deny('a@b', '<message/>')],
  ['somebody that is no address', deny('@')],
  ['a subscription', `<item type='subscription' value='none' action='deny' order='1'/>`],
  ['everybody', `<item action='deny' order='1'/>`],
  ['what is allowed', `<item type='jid' value='a@b' action='allow' order='1'/>`],
])('tells of rules that a blocklist cannot say: %s', (_, rule) => {
  expect(read(`<default name='b'/><list name='b'>${rule}${rule}</list>`)).toEqual([[], 1]);
});

it('tells of lists that are not in force', () => {
  expect(read(`<list name='b'>${deny('a@b')}</list><list name='c'/>`)).toEqual([[], 1]);
  expect(read(`<default name='c'/><list name='b'>${deny('a@b')}</list>`)).toEqual([[], 1]);
});
