-- Takes or keeps the right to follow a directory, for a time.
-- KEYS: 1 the lease. ARGV: 1 who wants it, 2 for how many milliseconds; 0 gives it back.
-- Returns its number, a higher one for each holder that follows another, or minus the milliseconds for which somebody else has it.
local holder = redis.call('hget', KEYS[1], 'holder')
local rest = tonumber(redis.call('hget', KEYS[1], 'until') or '0') - now()
local epoch = tonumber(redis.call('hget', KEYS[1], 'epoch') or '0')
if holder ~= ARGV[1] then
  if rest > 0 then return -math.ceil(rest) end
  if ARGV[2] == '0' then return 0 end
  -- even where what was kept is lost, the number is higher than all before
  epoch = math.max(epoch + 1, math.floor(now()))
end
redis.call('hset', KEYS[1], 'holder', ARGV[1], 'until', string.format('%.0f', now() + tonumber(ARGV[2])), 'epoch', string.format('%.0f', epoch))
return epoch
