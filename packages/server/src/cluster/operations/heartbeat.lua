-- A beat of a member: writes its own entry, declares dead whom it may blame, takes over what gone members left behind,
-- forgets those that were dealt with long ago. One that is new is not taken in where it and a member that lives read no
-- version of frames in common, or tell different checks of their secrets: then nothing is changed.
-- KEYS: 1 the members. ARGV: 1 the member's id, 2 what it tells of itself, 3 the number of this beat, 4 whether it may
-- come back where its entry is missing ('1' or '0'), 5 for how long to remember who was dealt with, in milliseconds,
-- 6 and 7 the oldest and the newest version of frames that it reads; then pairs: a member to declare dead, the beat that
-- it must not have gone beyond ('' for whichever).
-- Returns false where this member was declared dead; -1, id and entry of a member where it cannot be taken in because of
-- that one; otherwise the time, then id and entry of each member.
local time = now()
local at = string.format('%.0f', time)
local members, changed = {}, {}
local found = redis.call('hgetall', KEYS[1])
for index = 1, #found, 2 do
  local state, since, beat, reaper, about = string.match(found[index + 1], '^(%a+) (%d+) (%d+) (%S+) (.*)$')
  if state then
    members[found[index]] = { state = state, since = since, beat = beat, reaper = reaper, about = about }
  end
end

local id = ARGV[1]
local own = members[id]
if own and own.state ~= 'alive' then return false end
if not own and ARGV[4] ~= '1' then return false end
members[id] = { state = 'alive', since = at, beat = ARGV[3], reaper = '-', about = ARGV[2] }
changed[id] = true

for index = 8, #ARGV, 2 do
  local blamed, beat = ARGV[index], ARGV[index + 1]
  local member = members[blamed]
  if member and blamed ~= id and member.state == 'alive' and (beat == '' or beat == member.beat) then
    member.state, member.since = 'dead', at
    changed[blamed] = true
  end
end

if not own then
  local check = string.match(ARGV[2], '"secretCheck":"(%x+)"')
  for other, member in pairs(members) do
    local oldest, newest = string.match(member.about, '"frames":%[(%d+),(%d+)%]')
    oldest, newest = tonumber(oldest or 1), tonumber(newest or 1)
    local theirs = string.match(member.about, '"secretCheck":"(%x+)"')
    local otherSecret = check and theirs and check ~= theirs
    if member.state == 'alive' and (otherSecret or newest < tonumber(ARGV[6]) or oldest > tonumber(ARGV[7])) then
      local entry = table.concat({ member.state, member.since, member.beat, member.reaper, member.about }, ' ')
      return { -1, other, entry }
    end
  end
end

for gone, member in pairs(members) do
  if member.reaper == '+' then
    if time - tonumber(member.since) > tonumber(ARGV[5]) then
      redis.call('hdel', KEYS[1], gone)
      members[gone] = nil
    end
  elseif member.state ~= 'alive' then
    local reaper = members[member.reaper]
    if not reaper or reaper.state ~= 'alive' then
      member.reaper = id
      changed[gone] = true
    end
  end
end

local answer = { time }
for name, member in pairs(members) do
  local entry = table.concat({ member.state, member.since, member.beat, member.reaper, member.about }, ' ')
  if changed[name] then redis.call('hset', KEYS[1], name, entry) end
  answer[#answer + 1] = name
  answer[#answer + 1] = entry
end
return answer
