-- Ends a session. Entries of its journal wait from then on for being routed anew.
-- KEYS: the account's sessions, the journal, the partition's index of sessions, how much was handled, the waiting
-- entries, the partition's index of those.
-- ARGV: the resource; the fence; the member of either index; how long to know how much was handled, in milliseconds.
-- Returns the elements of the journal, or false where the session is somebody else's or gone.
local kept = redis.call('hget', KEYS[1], ARGV[1])
local owned = kept and string.sub(kept, 2, 1 + #ARGV[2]) == ARGV[2]
local elements = redis.call('lrange', KEYS[2], 0, -1)
redis.call('srem', KEYS[3], ARGV[3])
if not owned and #elements == 0 then return false end

if owned then redis.call('hdel', KEYS[1], ARGV[1]) end
if #elements > 0 then
  redis.call('set', KEYS[4], string.sub(elements[1], 2, 5), 'px', ARGV[5])
  redis.call('lpop', KEYS[2])
  if #elements > 1 then
    redis.call('rename', KEYS[2], KEYS[5])
    redis.call('sadd', KEYS[6], ARGV[4])
  end
end
return elements
