-- Changes what is kept of a client, where it is what it was.
-- KEYS: the clients of an account. ARGV: the client, what was kept of it ('' where nothing was), what is to be ('' for nothing),
-- the most clients, milliseconds after which all of it is over. Returns 1; 0 where it is another by now; 2 where there are
-- too many clients for another one.
local found = redis.call('hget', KEYS[1], ARGV[1]) or ''
if found ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('hdel', KEYS[1], ARGV[1])
  return 1
end
if found == '' and redis.call('hlen', KEYS[1]) >= tonumber(ARGV[4]) then return 2 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[5])
return 1
