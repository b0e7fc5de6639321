-- Forgets a person.
-- KEYS: 1 the person. ARGV: 1 the number of the lease of whoever tells, 2 the person's id.
-- Returns 1, or 0 where somebody with a newer lease has told. Where the record is somebody else's it stays.
local epoch = redis.call('hget', KEYS[1], 'epoch')
if epoch and tonumber(epoch) > tonumber(ARGV[1]) then return 0 end
if redis.call('hget', KEYS[1], 'id') == ARGV[2] then redis.call('del', KEYS[1]) end
return 1
