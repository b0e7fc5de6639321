-- Records a new session.
-- KEYS: the account's sessions, the partition's index. ARGV: the resource, the record, the member of the index.
-- Returns the record of another session that the resource had before, or false.
local before = redis.call('hget', KEYS[1], ARGV[1])
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
redis.call('sadd', KEYS[2], ARGV[3])
if before and string.sub(before, 2, 9) ~= string.sub(ARGV[2], 2, 9) then return before end
return false
