-- Makes one roster of items that came from elsewhere: none of the account itself, and a version that nobody knows yet.
-- KEYS: the roster. ARGV: the addresses that are the account's own.
local head = redis.call('hget', KEYS[1], '#')
for _, own in ipairs(ARGV) do redis.call('hdel', KEYS[1], own) end
local last, items = head and tonumber(string.match(head, '^%d+')) or 0, 0
for place, text in ipairs(redis.call('hgetall', KEYS[1])) do
  -- every second one is an item, behind its contact
  if place % 2 == 0 then
    items = items + 1
    last = math.max(last, tonumber(string.match(text, '^%d+')))
  end
end
if items == 0 then return 0 end
last = math.max(last + 1, now())
redis.call('hset', KEYS[1], '#', string.format('%.0f %.0f', last, last))
return 1
