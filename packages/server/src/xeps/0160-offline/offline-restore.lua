-- Puts a message back that was kept for an account and may be missing since, in any order with others of its sender.
-- KEYS: the messages (list), their state (hash: first, bytes), what came from whom (hash).
-- ARGV: the message; what stands before it where its origin is known; the session that sent it and the number that it has
-- there; the milliseconds for which these are remembered; those for which messages are put back.
-- Returns 1.
local message, prefix, sender, number = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local function highest(kept) return kept and tonumber(string.match(kept, '^%-?%d+')) or -1 end
local function came(most) return most >= 0 and (most - number) % 4294967296 < 2147483648 end
local mark, time = 'before ' .. sender, now()
local known, before = redis.call('hget', KEYS[3], sender), redis.call('hget', KEYS[3], mark)
if before and time - tonumber(string.match(before, '%.(%d+)$')) > tonumber(ARGV[6]) then before = false end
if came(highest(known)) then
  -- a later one may have been put back sooner: only what came before that tells that this one was here
  if not before or came(highest(before)) then return 1 end
  for _, kept in ipairs(redis.call('lrange', KEYS[1], 0, -1)) do
    if kept == message or string.sub(kept, 1, #prefix) == prefix then return 1 end
  end
else
  -- whoever gets it can tell by its number
  message = prefix .. message
  if known or redis.call('hlen', KEYS[3]) < 256 then
    if not before then redis.call('hset', KEYS[3], mark, string.format('%.0f.%.0f', highest(known), time)) end
    redis.call('hset', KEYS[3], sender, ARGV[4] .. string.format('.%.0f', time))
    redis.call('pexpire', KEYS[3], ARGV[5])
  end
end
if not redis.call('hget', KEYS[2], 'first') then
  redis.call('hset', KEYS[2], 'first', string.format('%.0f', time * 1000))
end
redis.call('rpush', KEYS[1], message)
redis.call('hincrby', KEYS[2], 'bytes', #message)
return 1
