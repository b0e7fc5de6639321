-- Changes fields of an account that exists.
-- KEYS: the account. ARGV: fields and values in turn. Returns 1, or 0 where there is no such account.
if redis.call('hlen', KEYS[1]) == 0 then return 0 end
redis.call('hset', KEYS[1], unpack(ARGV))
return 1
