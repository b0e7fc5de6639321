import { createHash } from 'node:crypto';
import type { Operation } from '../operation.ts';

/** What a Lua body finds defined, on one line so that the line numbers in messages stay right. */
const prelude =
  "local function publish(node, frame) return redis.call('PUBLISH', 'n:' .. node, frame) end " +
  "local function now() local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end ";

export interface Script {
  text: string;
  sha: string;
}

const scripts = new WeakMap<object, Script>();

/** The text that Redis gets for an operation, and the name by which it knows it. */
export function scriptOf(operation: Operation<unknown>): Script {
  let script = scripts.get(operation);
  if (!script) {
    const text = prelude + operation.source;
    script = { text, sha: createHash('sha1').update(text).digest('hex') };
    scripts.set(operation, script);
  }
  return script;
}

/** A node's channel, or that of all nodes. */
export function channelOf(node: string): string {
  return `n:${node}`;
}
