-- What a gone member left behind is dealt with. Its entry stays for a while without a word about it, so that it is told
-- where it comes back, and so that everybody sees that it is gone.
-- KEYS: 1 the members. ARGV: 1 the reaper's id, 2 the gone member's id.
-- Returns 1, or 0 where this is not its reaper.
local entry = redis.call('hget', KEYS[1], ARGV[2])
local state, beat, reaper = string.match(entry or '', '^(%a+) %d+ (%d+) (%S+) ')
if not state or state == 'alive' or reaper ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[1], ARGV[2], state .. ' ' .. string.format('%.0f', now()) .. ' ' .. beat .. ' + ')
return 1
