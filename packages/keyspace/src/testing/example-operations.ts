// Operations such as stores have, for the tests of the keyspace.
import { defineOperation, type Reply } from '../operation.ts';

export const compareAndSet = defineOperation({
  name: 'compare-and-set',
  lua: new URL('./compare-and-set.lua', import.meta.url),
  js(view, [key = ''], [expected = '', field = '', value = '']) {
    const version = String(view.hget(key, 'version') ?? '0');
    if (version !== String(expected)) return [0, Number(version)];
    view.hset(key, [[String(field), value]]);
    return [1, view.hincrby(key, 'version', 1)];
  },
  result(reply: Reply) {
    const [done, version] = reply as [number, number];
    return { done: done === 1, version };
  },
});

export const pushBounded = defineOperation({
  name: 'push-bounded',
  lua: new URL('./push-bounded.lua', import.meta.url),
  js(view, [key = ''], [most, element = '', node]) {
    if (view.llen(key) >= Number(String(most))) return false;
    const length = view.rpush(key, element);
    view.publish(String(node), `pushed ${element}`);
    return length;
  },
  result: (reply: Reply) => reply as number | null,
});

export const moveDue = defineOperation({
  name: 'move-due',
  lua: new URL('./move-due.lua', import.meta.url),
  js(view, [queue = '', list = ''], [time, most]) {
    const max = String(time) === 'now' ? view.now() : Number(String(time));
    const due = view.zrangebyscore(queue, { min: Number.NEGATIVE_INFINITY, max, limit: Number(String(most)) });
    for (const { member } of due) {
      view.zrem(queue, member);
      view.rpush(list, member);
    }
    return due.map(({ member }) => member);
  },
  result: (reply: Reply) => (reply as Buffer[]).map(String),
});
