-- Adds a message to what is kept for an account, where it fits.
-- KEYS: the messages (list), their state (hash: first, bytes). ARGV: the message, the most messages and the most bytes,
-- -1 for no limit. Returns 0, or what is too much: 1 for the messages, 2 for the bytes.
local size, most_messages, most_bytes = #ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local bytes = tonumber(redis.call('hget', KEYS[2], 'bytes') or 0)
if most_messages >= 0 and redis.call('llen', KEYS[1]) >= most_messages then return 1 end
if most_bytes >= 0 and bytes + size > most_bytes then return 2 end
-- Numbers begin anew with the time, so that they never meet those of messages that are gone.
if not redis.call('hget', KEYS[2], 'first') then
  redis.call('hset', KEYS[2], 'first', string.format('%.0f', now() * 1000))
end
redis.call('rpush', KEYS[1], ARGV[1])
redis.call('hincrby', KEYS[2], 'bytes', size)
return 0
