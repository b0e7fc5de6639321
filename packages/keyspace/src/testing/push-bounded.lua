-- Appends to a list that holds so many elements at most, and rings a node's bell.
-- KEYS: 1 the list. ARGV: 1 how many at most, 2 the element, 3 the node.
-- Answers the new length, or false where the list is full.
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return false
end
local length = redis.call('RPUSH', KEYS[1], ARGV[2])
publish(ARGV[3], 'pushed ' .. ARGV[2])
return length
