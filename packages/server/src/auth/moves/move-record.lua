-- Writes what is known of a move, where it still is what the caller knows.
-- KEYS: the moves (hash). ARGV: the former address; what is known, '' for nothing; what to write, '' to forget it.
-- Returns 1, or 0 where it is something else by now.
if (redis.call('hget', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('hdel', KEYS[1], ARGV[1])
else
  redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
end
return 1
