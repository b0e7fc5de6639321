import { onTestFinished } from 'vitest';
import { accountKey } from '../key.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import type { Opened } from '../open.ts';

/** Opens the implementation that is tested. */
export type Opener = (options?: KeyspaceOptions) => Promise<Opened>;

let serial = 0;

/** Keys of an account that no other test has, all in one partition. */
export function freshKeys(): (name: string) => string {
  serial += 1;
  const bare = `${process.pid}-${performance.timeOrigin}-${serial}@capulet.lit`;
  return (name) => accountKey('test', bare, name);
}

/** Opens it until the test ends. */
export async function opened(open: Opener, options?: KeyspaceOptions): Promise<Opened> {
  const both = await open(options);
  onTestFinished(() => both.keyspace.close());
  return both;
}
