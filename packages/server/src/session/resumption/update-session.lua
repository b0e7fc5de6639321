-- Replaces the record of a session where it still is its owner's.
-- KEYS: the account's sessions. ARGV: the resource, the fence (what a record holds from its second byte on), the record.
-- Returns 1, or 0 where the session is somebody else's or gone.
local kept = redis.call('hget', KEYS[1], ARGV[1])
if not kept or string.sub(kept, 2, 1 + #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
return 1
