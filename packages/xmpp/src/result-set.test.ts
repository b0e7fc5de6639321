import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { type Page, type PageRequest, pageElement, pageOf, parsePageRequest } from './result-set.ts';

function set(children: Record<string, string>): Element {
  return Element.of(
    'set',
    NS.resultSet,
    {},
    ...Object.entries(children).map(([name, text]) => Element.of(name, NS.resultSet, {}, text)),
  );
}

describe('a request', () => {
  test.each<[Record<string, string>, PageRequest]>([
    [{}, {}],
    [{ max: '10' }, { max: 10 }],
    [{ max: '0' }, { max: 0 }],
    [
      { max: '10', after: 'x' },
      { max: 10, after: 'x' },
    ],
    [
      { max: '10', before: '' },
      { max: 10, before: '' },
    ],
    [
      { max: '10', index: '371' },
      { max: 10, index: 371 },
    ],
  ])('%j', (children, request) => {
    expect(parsePageRequest(set(children))).toEqual(request);
  });

  test.each<Record<string, string>>([
    { max: '' },
    { max: '-1' },
    { max: '1.5' },
    { max: '1e3' },
    { max: ' 1' },
    { max: '9999999999' },
    { index: 'x' },
    { index: '1', after: 'x' },
    { index: '1', before: '' },
  ])('%j is none', (children) => {
    expect(() => parsePageRequest(set(children))).toThrow(expect.objectContaining({ condition: 'bad-request' }));
  });
});

test('an answer', () => {
  expect(pageElement({ first: 'a', last: 'b', index: 10, count: 800 }).toString()).toBe(
    `<set xmlns='${NS.resultSet}'><first index='10'>a</first><last>b</last><count>800</count></set>`,
  );
  expect(pageElement({ count: 790 }).toString()).toBe(`<set xmlns='${NS.resultSet}'><count>790</count></set>`);
});

describe('pages of a list', () => {
  const list = [...'abcdefghij'];
  const page = (request: PageRequest, limit = 100) => {
    const { items, index, count, more } = pageOf(list, (item) => item, request, limit);
    expect(count).toBe(10);
    return [items.join(''), index, more];
  };

  test.each<[PageRequest, unknown[]]>([
    [{}, ['abcdefghij', 0, false]],
    [{ max: 3 }, ['abc', 0, true]],
    [{ max: 3, after: 'c' }, ['def', 3, true]],
    [{ max: 3, after: 'g' }, ['hij', 7, false]],
    [{ max: 3, after: 'j' }, ['', undefined, false]],
    [{ max: 3, before: '' }, ['hij', 7, true]],
    [{ max: 3, before: 'h' }, ['efg', 4, true]],
    [{ max: 3, before: 'c' }, ['ab', 0, false]],
    [{ max: 3, before: 'a' }, ['', undefined, false]],
    [{ max: 3, index: 5 }, ['fgh', 5, true]],
    [{ max: 3, index: 10 }, ['', undefined, false]],
    [{ max: 3, index: 99 }, ['', undefined, false]],
    [{ max: 0 }, ['', undefined, true]],
    [{ max: 9, after: 'b', before: 'e' }, ['cd', 2, false]],
    [{ max: 9, after: 'e', before: 'b' }, ['', undefined, false]],
  ])('%j', (request, expected) => {
    expect(page(request)).toEqual(expected);
  });

  test('the limit holds whatever is asked for', () => {
    expect(page({}, 2)).toEqual(['ab', 0, true]);
    expect(page({ max: 5 }, 2)).toEqual(['ab', 0, true]);
  });

  test('an item that is not there', () => {
    for (const request of [{ after: 'x' }, { before: 'x' }, { after: '' }]) {
      expect(() => page(request)).toThrow(expect.objectContaining({ condition: 'item-not-found' }));
    }
  });

  test('going page by page in either direction sees every item once and in order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        (names, max) => {
          const forwards: string[] = [];
          for (let request: PageRequest | undefined = { max }; request; ) {
            const { items, last, more }: Page<string> = pageOf(names, String, request, 100);
            forwards.push(...items);
            request = more ? { max, after: last } : undefined;
          }
          const backwards: string[] = [];
          for (let request: PageRequest | undefined = { max, before: '' }; request; ) {
            const { items, first, more }: Page<string> = pageOf(names, String, request, 100);
            backwards.unshift(...items);
            request = more ? { max, before: first } : undefined;
          }
          expect(forwards).toEqual(names);
          expect(backwards).toEqual(names);
        },
      ),
    );
  });
});
