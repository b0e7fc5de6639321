-- Gives a session to a new owner: the record gets the new fence, or is replaced by one that has it, and a journal under the
-- new epoch replaces the old one.
-- KEYS: the account's sessions, the old journal, the new journal, the partition's index.
-- ARGV: the resource; the old fence (session, epoch) and the new one (session, epoch, owner); the old and the new member
-- of the index; how many elements the old journal has, the first and the last of them, and the record, as known ('' each
-- for whatever they are); the new record ('' where it stays but for the fence); the elements of the new journal.
-- Returns 1, also where it was done before; 0 where the session is somebody else's, gone, or not as known.
local kept = redis.call('hget', KEYS[1], ARGV[1])
local fence, new = ARGV[2], ARGV[3]
if not kept then return 0 end
if string.sub(kept, 2, 1 + #new) == new then
  local elements = redis.call('lrange', KEYS[3], 0, -1)
  if #elements ~= #ARGV - 10 then return 0 end
  for index, element in ipairs(elements) do
    if element ~= ARGV[10 + index] then return 0 end
  end
  return 1
end
if string.sub(kept, 2, 1 + #fence) ~= fence then return 0 end
if ARGV[6] ~= '' then
  if redis.call('llen', KEYS[2]) ~= tonumber(ARGV[6]) then return 0 end
  if redis.call('lrange', KEYS[2], 0, 0)[1] ~= ARGV[7] then return 0 end
  if redis.call('lrange', KEYS[2], -1, -1)[1] ~= ARGV[8] then return 0 end
  if kept ~= ARGV[9] then return 0 end
end

-- the owner takes eight bytes behind session and epoch
local record = ARGV[10]
if record == '' then record = string.sub(kept, 1, 1) .. new .. string.sub(kept, 2 + #fence + 8) end
redis.call('hset', KEYS[1], ARGV[1], record)
redis.call('del', KEYS[2], KEYS[3])
for index = 11, #ARGV do redis.call('rpush', KEYS[3], ARGV[index]) end
redis.call('srem', KEYS[4], ARGV[4])
redis.call('sadd', KEYS[4], ARGV[5])
return 1
