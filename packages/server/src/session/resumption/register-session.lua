-- Records a new session, unless it is recorded or over already.
-- KEYS: the account's sessions, the partition's index, what tells that it is over. ARGV: the resource, the record, the
-- member of the index. Returns the record of another session that the resource had before, or false.
if redis.call('get', KEYS[3]) then return false end
local before = redis.call('hget', KEYS[1], ARGV[1])
if before and string.sub(before, 2, 9) == string.sub(ARGV[2], 2, 9) then return false end
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
redis.call('sadd', KEYS[2], ARGV[3])
return before
