-- Takes away the oldest messages that are kept for an account, up to a number; twice is as good as once.
-- KEYS: the messages (list), their state (hash: first, bytes). ARGV: the number of the first message that stays.
-- Returns how many went.
local first = redis.call('hget', KEYS[2], 'first')
local count = first and tonumber(ARGV[1]) - tonumber(first) or 0
if count <= 0 then return 0 end
local bytes = 0
local gone = redis.call('lpop', KEYS[1], count) or {}
for _, text in ipairs(gone) do bytes = bytes + #text end
if redis.call('llen', KEYS[1]) == 0 then
  redis.call('del', KEYS[2])
else
  redis.call('hset', KEYS[2], 'first', ARGV[1])
  redis.call('hincrby', KEYS[2], 'bytes', string.format('%d', -bytes)) -- Lua would write -0
end
return #gone
