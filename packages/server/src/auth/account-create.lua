-- Makes an account where there is none.
-- KEYS: the account, the index of its partition and domain. ARGV: its bare JID, then fields and values in turn.
-- Returns 1, or 0 where the account exists.
if redis.call('hlen', KEYS[1]) > 0 then return 0 end
redis.call('hset', KEYS[1], unpack(ARGV, 2))
redis.call('sadd', KEYS[2], ARGV[1])
return 1
