-- Makes a session what its owner says that it is: a record and a journal under a new epoch take the place of all others.
-- KEYS: the account's sessions, the journal of the epoch in the record, the one of the epoch that the owner knows, the
-- new one, the partition's index.
-- ARGV: the resource; the record as it was seen, '' where there was none; the new record; the members of the index of
-- all three epochs; the elements of the new journal, none where there is none.
-- Returns 1, or 0 where the record is not as it was seen.
if (redis.call('hget', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
redis.call('del', KEYS[2], KEYS[3], KEYS[4])
for index = 7, #ARGV do redis.call('rpush', KEYS[4], ARGV[index]) end
redis.call('srem', KEYS[5], ARGV[4], ARGV[5])
redis.call('sadd', KEYS[5], ARGV[6])
return 1
