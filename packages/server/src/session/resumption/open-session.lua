-- Records a new session that can be resumed, unless it is over already.
-- KEYS: the account's sessions, the journal, the partition's index, what tells that it is over. ARGV: the resource, the
-- record, the member of the index, the header of the journal, the member that it had while it could not be resumed. Returns 1, or 0 where it is over.
if redis.call('get', KEYS[4]) then return 0 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
redis.call('del', KEYS[2])
redis.call('rpush', KEYS[2], ARGV[4])
redis.call('srem', KEYS[3], ARGV[5])
redis.call('sadd', KEYS[3], ARGV[3])
return 1
