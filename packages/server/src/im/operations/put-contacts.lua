-- Puts contacts into a roster that is what the caller knows of it. All of them get the same version, which is new.
-- KEYS: the roster. ARGV: its head as known ('' for none), then contacts and their items in turn.
-- Returns 1, or 0 where the roster is known no longer.
local head = redis.call('hget', KEYS[1], '#')
if (head or '') ~= ARGV[1] then return 0 end
local last, removal = 0, 0
if head then
  last, removal = string.match(head, '^(%d+) (%d+)$')
  last, removal = tonumber(last), tonumber(removal)
end
last = math.max(last + 1, now())
local version = string.format('%.0f', last)
for place = 2, #ARGV, 2 do redis.call('hset', KEYS[1], ARGV[place], version .. '\0' .. ARGV[place + 1]) end
redis.call('hset', KEYS[1], '#', version .. string.format(' %.0f', removal))
return 1
