-- Lets go of waiting entries that were routed, and of their place in the index with the last of them.
-- KEYS: the waiting entries, the partition's index of those. ARGV: how many are left, the member of the index.
-- Returns 1.
local over = redis.call('llen', KEYS[1]) - tonumber(ARGV[1])
if over > 0 then redis.call('lpop', KEYS[1], over) end
if redis.call('llen', KEYS[1]) == 0 then redis.call('srem', KEYS[2], ARGV[2]) end
return 1
