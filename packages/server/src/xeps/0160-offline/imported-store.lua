-- Adds messages from elsewhere to those that are kept for an account, unless they came before.
-- KEYS: the messages (list), their state (hash: first, bytes), marks of those that came (hash).
-- ARGV: the most messages and the most bytes, -1 for no limit; the milliseconds for which marks are kept; then marks and
-- messages in turn. Returns how many had no room.
local most_messages, most_bytes, left = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
for place = 4, #ARGV, 2 do
  local mark, text = ARGV[place], ARGV[place + 1]
  if not redis.call('hget', KEYS[3], mark) then
    local bytes = tonumber(redis.call('hget', KEYS[2], 'bytes') or 0)
    if most_messages >= 0 and redis.call('llen', KEYS[1]) >= most_messages
      or most_bytes >= 0 and bytes + #text > most_bytes then
      left = left + 1
    else
      if not redis.call('hget', KEYS[2], 'first') then
        redis.call('hset', KEYS[2], 'first', string.format('%.0f', now() * 1000))
      end
      redis.call('rpush', KEYS[1], text)
      redis.call('hincrby', KEYS[2], 'bytes', #text)
      redis.call('hset', KEYS[3], mark, '')
    end
  end
end
redis.call('pexpire', KEYS[3], ARGV[3])
return left
