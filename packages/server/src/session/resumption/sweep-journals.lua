-- Compares what the journals of a partition ever got with what became of it and what is there.
-- KEYS: the counts of journals that are no more, the indices of sessions and of queues, the index of what waits.
-- ARGV: how keys of journals begin in this partition, and those of what waits; '1' where a difference is to be noted, so that
-- it is none from then on.
-- Returns how many entries entered, were delivered, moved and bounced, are present, and how many are missing (below 0: there
-- are too many).
local function count(text, at)
  local value = 0
  for place = at, at + 5 do value = value * 256 + string.byte(text, place) end
  return value
end

local sums = {0, 0, 0, 0}
local present, gone = 0, 0
local fields = {'entered', 'delivered', 'moved', 'bounced'}
for index = 2, 3 do
  for _, member in ipairs(redis.call('smembers', KEYS[index])) do
    local sid, epoch = string.match(member, '^(%x+) (%d+) ')
    -- 0: it cannot be resumed, and has none
    if sid and epoch ~= '0' then
      local journal = ARGV[1] .. sid .. ':' .. epoch
      local length = redis.call('llen', journal)
      local header = length > 0 and redis.call('lrange', journal, 0, 0)[1]
      if not header then
        gone = gone + 1
      elseif string.byte(header, 1) == 2 then
        local entered = count(header, 6)
        local last = length > 1 and redis.call('lrange', journal, -1, -1)[1]
        if last and string.byte(last, 1) == 2 then entered = math.max(entered, count(last, 3)) end
        sums[1] = sums[1] + entered
        for place = 2, 4 do sums[place] = sums[place] + count(header, 6 * place) end
        present = present + length - 1
      end
    end
  end
end
-- two may have ended the same session, since the keyspace had lost that the first one had
local seen = {}
for _, member in ipairs(redis.call('smembers', KEYS[4])) do
  local sid = string.match(member, '^(%x+) ')
  if sid and not seen[sid] then present = present + redis.call('llen', ARGV[2] .. sid) end
  if sid then seen[sid] = true end
end
for place, field in ipairs(fields) do
  sums[place] = sums[place] + tonumber(redis.call('hget', KEYS[1], field) or 0)
end
local missing = sums[1] + gone - sums[2] - sums[3] - sums[4] - present - tonumber(redis.call('hget', KEYS[1], 'missing') or 0)
if missing ~= 0 and ARGV[3] == '1' then redis.call('hincrby', KEYS[1], 'missing', missing) end
return {sums[1], sums[2], sums[3], sums[4], present, missing}
