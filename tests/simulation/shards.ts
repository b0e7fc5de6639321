import { hashTag } from '@parley/keyspace/key';
import { channelOf } from '@parley/keyspace/redis/script';
import { SLOTS, slotOf } from '@parley/keyspace/redis/slot';

/** Which server of the store: 0 for a Redis that is alone, 0 or 1 for a Redis Cluster of two, which have half of the slots each. */
export type Shard = number;

/** Where a key lies. */
export const shardOf = (key: string, shards: number): Shard => Math.floor((slotOf(hashTag(key)) * shards) / SLOTS);

/** Where frames for a node, or for all, go. */
export const shardOfChannel = (node: string, shards: number): Shard => shardOf(channelOf(node), shards);
