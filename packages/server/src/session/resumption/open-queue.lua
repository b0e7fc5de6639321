-- Records a new queue to another server, unless there is one.
-- KEYS: the queues to that server, the journal, the partition's index. ARGV: our domain, the record, the member of the
-- index, the header of the journal. Returns the record that there is, or false.
local found = redis.call('hget', KEYS[1], ARGV[1])
if found then return found end
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
redis.call('del', KEYS[2])
redis.call('rpush', KEYS[2], ARGV[4])
redis.call('sadd', KEYS[3], ARGV[3])
return false
