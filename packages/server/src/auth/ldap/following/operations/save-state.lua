-- Keeps how far a directory was followed, where whoever did is still the one who does.
-- KEYS: 1 the lease, 2 the state. ARGV: 1 the number of the lease, then fields and values in turn.
-- Returns 1, or 0 where another one follows it now.
if redis.call('hget', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
for index = 2, #ARGV, 2 do redis.call('hset', KEYS[2], ARGV[index], ARGV[index + 1]) end
return 1
