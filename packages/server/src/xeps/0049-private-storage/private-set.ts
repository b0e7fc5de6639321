import { defineOperation } from '@parley/keyspace/operation';

export type PrivateSetResult = 'done' | 'too-large' | 'too-many';

const RESULTS: readonly PrivateSetResult[] = ['done', 'too-large', 'too-many'];

/** See private-set.lua for keys and arguments. What is beyond its limits already may shrink. */
export const privateSet = defineOperation<PrivateSetResult>({
  name: 'private-set',
  lua: new URL('./private-set.lua', import.meta.url),
  js(view, keys, args) {
    const [key] = keys as [string];
    const [maxBytes, maxNamespaces] = args.slice(0, 2).map(Number) as [number, number];
    const kept = view.hgetall(key);
    const before = kept.size;
    const changes: [string, Buffer][] = [];
    for (let i = 2; i < args.length; i += 2) changes.push([String(args[i]), args[i + 1] as Buffer]);

    let grows = 0;
    for (const [namespace, text] of changes) {
      grows += text.length - (kept.get(namespace)?.length ?? 0);
      kept.set(namespace, text);
    }
    let bytes = 0;
    let count = 0;
    for (const [namespace, text] of kept) {
      if (text.length === 0) continue;
      bytes += Buffer.byteLength(namespace) + text.length;
      count++;
    }
    if (grows > 0 && bytes > maxBytes) return 1;
    if (count > maxNamespaces && count > before) return 2;
    for (const [namespace, text] of changes) {
      if (text.length > 0) view.hset(key, [[namespace, text]]);
      else view.hdel(key, namespace);
    }
    return 0;
  },
  result: (reply) => RESULTS[Number(reply)] as PrivateSetResult,
});
