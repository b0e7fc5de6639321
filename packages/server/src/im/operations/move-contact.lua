-- Gives a contact another address in a roster, where both still are what the caller knows of them.
-- KEYS: the roster. ARGV: the former address and the new one; the versions of their items as known, '' for none; the item
-- at the new address, '' where it is as it is.
-- Returns the version of the roster, or 0 where the items are not as known.
local function version(contact)
  local kept = redis.call('hget', KEYS[1], contact)
  return kept and string.match(kept, '^%d+') or ''
end
if version(ARGV[1]) ~= ARGV[3] or version(ARGV[2]) ~= ARGV[4] then return 0 end
local head = redis.call('hget', KEYS[1], '#')
local last = math.max((head and tonumber(string.match(head, '^%d+')) or 0) + 1, now())
redis.call('hdel', KEYS[1], ARGV[1])
if ARGV[5] ~= '' then redis.call('hset', KEYS[1], ARGV[2], string.format('%.0f', last) .. '\0' .. ARGV[5]) end
redis.call('hset', KEYS[1], '#', string.format('%.0f %.0f', last, last))
return last
