-- Changes a group: what it is, and who is in it. Every change makes a revision, one greater than all before.
-- KEYS: 1 all groups, 2 the members of this one.
-- ARGV: 1 the id; 2 what it is: '' to leave it, '-' to take the group away, or the new text; 3 how many members go;
-- those; then pairs: a member that comes or has another name, and the name.
-- Returns the revision of the group before (0 where there was none) and after; 0 after where there is no such group.
local id, head, leaving = ARGV[1], ARGV[2], tonumber(ARGV[3])
local kept = redis.call('hget', KEYS[1], id)
local before = kept and tonumber(string.match(kept, '^%d+')) or 0
if not kept and (head == '' or head == '-') then return { 0, 0 } end

local last = tonumber(redis.call('hget', KEYS[1], '#') or '0') + 1
redis.call('hset', KEYS[1], '#', string.format('%.0f', last))
if head == '-' then
  redis.call('hdel', KEYS[1], id)
  redis.call('del', KEYS[2])
  return { before, last }
end
if head == '' then head = string.match(kept, '^%d+ (.*)$') end
redis.call('hset', KEYS[1], id, string.format('%.0f', last) .. ' ' .. head)
for index = 4, 3 + leaving do redis.call('hdel', KEYS[2], ARGV[index]) end
for index = 4 + leaving, #ARGV, 2 do redis.call('hset', KEYS[2], ARGV[index], ARGV[index + 1]) end
return { before, last }
