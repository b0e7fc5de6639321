-- Adds a part of what an account had at its former address to what it has here, once.
-- KEYS: what it is added to; what has come so far (hash).
-- ARGV: the id of the move; the type of the key; its name; the number of the first entry; then the entries: fields and
-- values in turn for a hash, values for all others.
-- Returns how many entries have come by now, or -1 where another move, or none, is under way.
if redis.call('hget', KEYS[2], '#') ~= ARGV[1] then return -1 end
local kind, name, first = ARGV[2], ARGV[3], tonumber(ARGV[4])
local come = tonumber(redis.call('hget', KEYS[2], name) or 0)
if come ~= first then return come end
local count = #ARGV - 4
if kind == 'hash' then
  count = count / 2
  for place = 5, #ARGV, 2 do
    if not redis.call('hget', KEYS[1], ARGV[place]) then redis.call('hset', KEYS[1], ARGV[place], ARGV[place + 1]) end
  end
elseif kind == 'list' then
  for place = 5, #ARGV do redis.call('rpush', KEYS[1], ARGV[place]) end
elseif kind == 'set' then
  for place = 5, #ARGV do redis.call('sadd', KEYS[1], ARGV[place]) end
elseif not redis.call('get', KEYS[1]) then
  redis.call('set', KEYS[1], ARGV[5])
end
redis.call('hset', KEYS[2], name, string.format('%d', first + count))
return first + count
