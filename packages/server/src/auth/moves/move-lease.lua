-- Lets one alone move accounts, for a time.
-- KEYS: who does. ARGV: who asks, for how many milliseconds; 0 gives it back.
-- Returns 1, or 0 where it is somebody else.
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('del', KEYS[1])
else
  redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
end
return 1
