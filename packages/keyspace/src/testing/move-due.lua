-- Takes up to so many members whose time has come out of a sorted set, and appends them to a list.
-- KEYS: 1 the sorted set, 2 the list. ARGV: 1 the time ('now' for the keyspace's own), 2 how many at most.
-- Answers the members.
local time = ARGV[1]
if time == 'now' then
  time = now()
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time, 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  redis.call('ZREM', KEYS[1], member)
  redis.call('RPUSH', KEYS[2], member)
end
return due
