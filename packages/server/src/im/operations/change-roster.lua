-- Changes one contact of a roster and the subscription request that waits from it, where both still are what the
-- caller knows of them. Every change of an item makes a version, greater than all before and than the clock.
-- KEYS: the roster, the account's waiting requests.
-- ARGV: the contact; the version of its item ('' for none) and whether a request waits (0 or 1), both as known;
-- the item and the request: '' to leave it, '-' to remove it, or the new text; how many items and requests there may be.
-- Returns an outcome (0 known no longer, 1 done, 2 too many items, 3 too many requests) and the roster's version.
local contact, item, request = ARGV[1], ARGV[4], ARGV[5]
local kept = redis.call('hget', KEYS[1], contact)
local version = kept and string.match(kept, '^%d+') or ''
local waits = redis.call('hget', KEYS[2], contact) and '1' or '0'
if version ~= ARGV[2] or waits ~= ARGV[3] then return { 0, 0 } end

local head = redis.call('hget', KEYS[1], '#')
local last, removal = 0, 0
if head then
  last, removal = string.match(head, '^(%d+) (%d+)$')
  last, removal = tonumber(last), tonumber(removal)
end
local sets = item ~= '' and item ~= '-'
local asks = request ~= '' and request ~= '-'
if sets and not kept then
  local items = redis.call('hlen', KEYS[1])
  if head then items = items - 1 end
  if items >= tonumber(ARGV[6]) then return { 2, 0 } end
end
if asks and waits == '0' and redis.call('hlen', KEYS[2]) >= tonumber(ARGV[7]) then return { 3, 0 } end

if item ~= '' then
  last = math.max(last + 1, now())
  if sets then
    redis.call('hset', KEYS[1], contact, string.format('%.0f', last) .. '\0' .. item)
  else
    redis.call('hdel', KEYS[1], contact)
    removal = last
  end
  redis.call('hset', KEYS[1], '#', string.format('%.0f %.0f', last, removal))
end
if asks then
  redis.call('hset', KEYS[2], contact, request)
elseif request == '-' then
  redis.call('hdel', KEYS[2], contact)
end
return { 1, last }
