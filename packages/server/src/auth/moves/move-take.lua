-- Sets aside what is kept of an account that gets another address, once.
-- KEYS: the mark of the move, the index of accounts, then in pairs a key and where it goes.
-- ARGV: the id of the move, the bare JID of the account.
-- Returns 1, or 0 where it was done before.
if redis.call('get', KEYS[1]) then return 0 end
redis.call('set', KEYS[1], ARGV[1])
redis.call('srem', KEYS[2], ARGV[2])
-- a key that does not exist is an error
for place = 3, #KEYS, 2 do redis.pcall('rename', KEYS[place], KEYS[place + 1]) end
return 1
