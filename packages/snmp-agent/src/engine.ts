import { randomBytes } from 'node:crypto';
import type { TrackerRecord } from './cluster/cluster-tracker.ts';

/** What an agent keeps from one start to the next; plain JSON. */
export interface AgentRecord {
  /** Hexadecimal. */
  readonly engineId: string;
  readonly engineBoots: number;
  readonly tracked: TrackerRecord | undefined;
}

/** Where that is kept. */
export interface AgentStore {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

const MOST_BOOTS = 0x7fff_ffff;

/** The record of this start: the same engine, started once more (RFC 3414 §2.2.2), or a new one. */
export async function beginAgent(store: AgentStore): Promise<AgentRecord> {
  const before = read(await store.load());
  const begun: AgentRecord = {
    engineId: before?.engineId ?? newEngineId(),
    engineBoots: Math.min(MOST_BOOTS, (before?.engineBoots ?? 0) + 1),
    tracked: before?.tracked,
  };
  await store.save(JSON.stringify(begun)); // before anybody is answered: no start has the number of an earlier one
  return begun;
}

function read(text: string | undefined): AgentRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const { engineId, engineBoots, tracked } = JSON.parse(text) as Partial<AgentRecord>;
    if (!/^[0-9a-f]{10,64}$/.test(engineId ?? '') || !Number.isInteger(engineBoots)) return undefined;
    return { engineId: engineId as string, engineBoots: engineBoots as number, tracked };
  } catch {
    return undefined;
  }
}

/** Octets of our own choice below the enterprise number for documentation (RFC 3411, SnmpEngineID; RFC 5612). */
const newEngineId = (): string => `80007ed905${randomBytes(12).toString('hex')}`;
