-- A member leaves in order, and all others look at once.
-- KEYS: 1 the members. ARGV: 1 the member's id, 2 the frame that makes the others look, 3 the name of all nodes.
-- Returns 1, or 0 where it was gone before.
local entry = redis.call('hget', KEYS[1], ARGV[1])
local rest = entry and string.match(entry, '^alive %d+( .*)$')
if not rest then return 0 end
redis.call('hset', KEYS[1], ARGV[1], 'left ' .. string.format('%.0f', now()) .. rest)
publish(ARGV[3], ARGV[2])
return 1
