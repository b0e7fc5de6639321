import type { Command, Fields, ReplyTo, ScoreRange, SetOptions, Value } from './command.ts';

/** The data commands as methods, for an implementation that takes them as data. */
export abstract class Commanding {
  protected abstract execute<C extends Command>(command: C): Promise<ReplyTo<C>>;

  get(key: string) {
    return this.execute(['get', key]);
  }
  set(key: string, value: Value, options?: SetOptions) {
    return this.execute(['set', key, value, options]);
  }
  del(...keys: string[]) {
    return this.execute(['del', ...keys]);
  }
  pexpire(key: string, milliseconds: number) {
    return this.execute(['pexpire', key, milliseconds]);
  }
  incrby(key: string, increment: number) {
    return this.execute(['incrby', key, increment]);
  }
  hget(key: string, field: string) {
    return this.execute(['hget', key, field]);
  }
  hset(key: string, fields: Fields) {
    return this.execute(['hset', key, fields]);
  }
  hdel(key: string, ...fields: string[]) {
    return this.execute(['hdel', key, ...fields]);
  }
  hgetall(key: string) {
    return this.execute(['hgetall', key]);
  }
  hlen(key: string) {
    return this.execute(['hlen', key]);
  }
  hincrby(key: string, field: string, increment: number) {
    return this.execute(['hincrby', key, field, increment]);
  }
  rpush(key: string, ...values: Value[]) {
    return this.execute(['rpush', key, ...values]);
  }
  rpushx(key: string, ...values: Value[]) {
    return this.execute(['rpushx', key, ...values]);
  }
  lset(key: string, index: number, value: Value) {
    return this.execute(['lset', key, index, value]);
  }
  lpop(key: string, count?: number) {
    return this.execute(['lpop', key, count]);
  }
  ltrim(key: string, start: number, stop: -1) {
    return this.execute(['ltrim', key, start, stop]);
  }
  lrange(key: string, start: number, stop: number) {
    return this.execute(['lrange', key, start, stop]);
  }
  llen(key: string) {
    return this.execute(['llen', key]);
  }
  rename(key: string, to: string) {
    return this.execute(['rename', key, to]);
  }
  sadd(key: string, ...members: Value[]) {
    return this.execute(['sadd', key, ...members]);
  }
  srem(key: string, ...members: Value[]) {
    return this.execute(['srem', key, ...members]);
  }
  smembers(key: string) {
    return this.execute(['smembers', key]);
  }
  spop(key: string, count?: number) {
    return this.execute(['spop', key, count]);
  }
  zadd(key: string, score: number, member: Value) {
    return this.execute(['zadd', key, score, member]);
  }
  zrem(key: string, ...members: Value[]) {
    return this.execute(['zrem', key, ...members]);
  }
  zrangebyscore(key: string, range: ScoreRange) {
    return this.execute(['zrangebyscore', key, range]);
  }
}
