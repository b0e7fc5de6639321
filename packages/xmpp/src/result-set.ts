import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

/** What a requester wants of a long list (XEP-0059). Items are known by texts that are unique in the list. */
export interface PageRequest {
  /** The most items that it wants; 0 asks for the count alone. */
  readonly max?: number;
  /** Only what stands behind this item. */
  readonly after?: string;
  /** Only what stands in front of this item, and of that the end; '' is behind the last one. */
  readonly before?: string;
  /** What begins at this place, counted from 0. */
  readonly index?: number;
}

/** What a page is. */
export interface PageInfo {
  readonly first?: string;
  readonly last?: string;
  /** The place of the first item in the whole list. */
  readonly index?: number;
  /** The number of items in the whole list. */
  readonly count?: number;
}

export interface Page<Item> extends PageInfo {
  readonly items: readonly Item[];
  /** Whether the list goes on in the direction that was asked for. */
  readonly more: boolean;
}

/** Reads the `<set/>` of a request. Throws StanzaError `bad-request`. */
export function parsePageRequest(set: Element): PageRequest {
  const request = {
    max: parseCount(set.childText('max')),
    after: set.childText('after'),
    before: set.childText('before'),
    index: parseCount(set.childText('index')),
  };
  if (request.index !== undefined && (request.after !== undefined || request.before !== undefined)) {
    throw new StanzaError('bad-request', { text: 'A page begins at an index or at an item, not at both.' });
  }
  return request;
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new StanzaError('bad-request', { text: 'This is no number of items.' });
  return Number(text);
}

/** The `<set/>` of an answer. */
export function pageElement({ first, last, index, count }: PageInfo): Element {
  const children: Element[] = [];
  if (first !== undefined) children.push(Element.of('first', NS.resultSet, { index }, first));
  if (last !== undefined) children.push(Element.of('last', NS.resultSet, {}, last));
  if (count !== undefined) children.push(Element.of('count', NS.resultSet, {}, String(count)));
  return Element.of('set', NS.resultSet, {}, ...children);
}

/**
 * Takes a page out of a list that is in memory, `limit` items at most. Throws StanzaError `item-not-found` where the
 * request names an item that is not there (XEP-0059 §2.5).
 */
export function pageOf<Item>(
  list: readonly Item[],
  nameOf: (item: Item) => string,
  request: PageRequest,
  limit: number,
): Page<Item> {
  const placeOf = (name: string) => {
    const place = list.findIndex((item) => nameOf(item) === name);
    if (place < 0) throw new StanzaError('item-not-found');
    return place;
  };
  const size = Math.min(request.max ?? limit, limit);
  const begin = request.index ?? (request.after === undefined ? 0 : placeOf(request.after) + 1);
  const end = request.before ? placeOf(request.before) : list.length;
  const backwards = request.before !== undefined;
  const from = Math.min(backwards ? Math.max(begin, end - size) : begin, list.length);
  const items = list.slice(from, Math.min(end, from + size));
  const more = backwards ? from > begin : from + items.length < end;

  const [first, last] = [items[0], items.at(-1)];
  if (first === undefined || last === undefined) return { items, more, count: list.length };
  return { items, more, first: nameOf(first), last: nameOf(last), index: from, count: list.length };
}
