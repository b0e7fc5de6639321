import type { Keyspace } from '@parley/keyspace/keyspace';
import { type NodeReport, parseNodeReport } from '@parley/metrics/node-report';
import { memberKeys, memberOf, readEntry } from './cluster/member.ts';
import { nodeReportKeys } from './node-reporting.ts';

/** What all nodes of a cluster have told lately. Those that say what this version does not understand are left out. */
export async function readNodeReports(keyspace: Keyspace): Promise<NodeReport[]> {
  const entries = await keyspace.hgetall(memberKeys.key());
  const names = new Set(
    [...entries].flatMap(([id, text]) => {
      const entry = readEntry(id, String(text));
      return entry === undefined ? [] : [memberOf(entry).name];
    }),
  );
  const texts = await Promise.all([...names].map((name) => keyspace.get(nodeReportKeys.key(name))));
  return texts.flatMap((text) => {
    if (text === undefined) return [];
    try {
      return [parseNodeReport(String(text))];
    } catch {
      return [];
    }
  });
}
