-- Keeps what is known of a person.
-- KEYS: 1 the person. ARGV: 1 the number of the lease of whoever tells, then fields and values in turn.
-- Returns 1, or 0 where somebody with a newer lease has told.
local epoch = redis.call('hget', KEYS[1], 'epoch')
if epoch and tonumber(epoch) > tonumber(ARGV[1]) then return 0 end
redis.call('hset', KEYS[1], 'epoch', ARGV[1])
for index = 2, #ARGV, 2 do redis.call('hset', KEYS[1], ARGV[index], ARGV[index + 1]) end
return 1
