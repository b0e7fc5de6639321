-- Puts right what is known of the messages that wait, where some came from elsewhere.
-- KEYS: the messages (list), their state (hash: first, bytes).
-- Returns how many there are.
local messages, bytes = redis.call('lrange', KEYS[1], 0, -1), 0
if #messages == 0 then return 0 end
for _, text in ipairs(messages) do bytes = bytes + #text end
if not redis.call('hget', KEYS[2], 'first') then
  redis.call('hset', KEYS[2], 'first', string.format('%.0f', now() * 1000))
end
redis.call('hset', KEYS[2], 'bytes', string.format('%d', bytes))
return #messages
