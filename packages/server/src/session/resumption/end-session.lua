-- Ends a session. Entries of its journal wait from then on for being routed anew.
-- KEYS: the account's sessions, the journal, the partition's index of sessions, how much was handled, the waiting
-- entries, the partition's index of those, the counts of journals that are no more.
-- ARGV: the resource; the fence; the member of either index; in milliseconds, how long to know how much was handled, and
-- how long that the session is over.
-- Returns the elements of the journal, or false where the session is somebody else's or gone.
local function count(text, at)
  local value = 0
  for place = at, at + 5 do value = value * 256 + string.byte(text, place) end
  return value
end

local function add(field, number)
  if number > 0 then redis.call('hincrby', KEYS[7], field, number) end
end

local kept = redis.call('hget', KEYS[1], ARGV[1])
local owned = kept and string.sub(kept, 2, 1 + #ARGV[2]) == ARGV[2]
local elements = redis.call('lrange', KEYS[2], 0, -1)
redis.call('srem', KEYS[3], ARGV[3])
if #elements == 0 then
  -- what would record it still is on its way perhaps; another epoch of it may live
  local lives = kept and not owned and string.sub(kept, 2, 9) == string.sub(ARGV[2], 1, 8)
  if not lives and not redis.call('get', KEYS[4]) then redis.call('set', KEYS[4], '', 'px', ARGV[6]) end
  if not owned then return false end
end

if owned then redis.call('hdel', KEYS[1], ARGV[1]) end
if #elements > 0 then
  local header, last = elements[1], elements[#elements]
  local entered = #elements - 1
  if string.byte(header, 1) == 2 then
    entered = count(header, 6)
    if #elements > 1 and string.byte(last, 1) == 2 then entered = math.max(entered, count(last, 3)) end
    add('delivered', count(header, 12))
    add('moved', count(header, 18))
    add('bounced', count(header, 24))
  end
  add('entered', entered)
  redis.call('set', KEYS[4], string.sub(header, 2, 5), 'px', ARGV[5])
  redis.call('lpop', KEYS[2])
  if #elements > 1 then
    -- a session that the keyspace had forgotten to be over ends once more
    add('moved', redis.call('llen', KEYS[5]))
    redis.call('rename', KEYS[2], KEYS[5])
    redis.call('sadd', KEYS[6], ARGV[4])
  end
end
return elements
