-- Changes fields of an account in which another one is what it was.
-- KEYS: the account. ARGV: a field and its value, then fields and values in turn. Returns 1, or 0 where that field has
-- another value, or there is no such account.
if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], unpack(ARGV, 3))
return 1
