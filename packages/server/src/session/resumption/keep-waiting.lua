-- Lets go of waiting entries that were routed, and of their place in the index with the last of them.
-- KEYS: the waiting entries, the partition's index of those, the counts of journals that are no more. ARGV: how many are
-- left, the member of the index. Returns how many it let go of.
local over = math.max(0, redis.call('llen', KEYS[1]) - tonumber(ARGV[1]))
if over > 0 then
  redis.call('lpop', KEYS[1], over)
  redis.call('hincrby', KEYS[3], 'moved', over)
end
if redis.call('llen', KEYS[1]) == 0 then redis.call('srem', KEYS[2], ARGV[2]) end
return over
