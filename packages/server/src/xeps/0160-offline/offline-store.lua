-- Adds a message to what is kept for an account, where it fits.
-- KEYS: the messages (list), their state (hash: first, bytes), what came from whom (hash), the account's sessions (hash).
-- ARGV: the message, the most messages and the most bytes, -1 for no limit; where known, the session that sent it and the
-- number that it has there, and the milliseconds for which these are remembered; 1 to look whether somebody is there.
-- Returns 0, or what is too much: 1 for the messages, 2 for the bytes; or 3 where a session gets the account's messages.
local size, most_messages, most_bytes = #ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local bytes = tonumber(redis.call('hget', KEYS[2], 'bytes') or 0)
local sender, number, known = ARGV[4], tonumber(ARGV[5]), false
if sender ~= '' then
  -- RFC 1982: not after the highest one that came, so it has come before
  known = redis.call('hget', KEYS[3], sender)
  local highest = known and tonumber(string.match(known, '^%d+')) or -1
  if highest >= 0 and (highest - number) % 4294967296 < 2147483648 then return 0 end
end
if ARGV[7] == '1' then
  for place, record in ipairs(redis.call('hgetall', KEYS[4])) do
    -- every second one is a record: version, session (8 bytes), epoch, owner (8 bytes), time to resume, flags
    if place % 2 == 0 then
      local at = 10
      while (string.byte(record, at) or 0) >= 128 do at = at + 1 end
      at = at + 9
      while (string.byte(record, at) or 0) >= 128 do at = at + 1 end
      if math.floor((string.byte(record, at + 1) or 0) / 16) % 2 == 1 then return 3 end
    end
  end
end
if most_messages >= 0 and redis.call('llen', KEYS[1]) >= most_messages then return 1 end
if most_bytes >= 0 and bytes + size > most_bytes then return 2 end
-- Numbers begin anew with the time, so that they never meet those of messages that are gone.
if not redis.call('hget', KEYS[2], 'first') then
  redis.call('hset', KEYS[2], 'first', string.format('%.0f', now() * 1000))
end
redis.call('rpush', KEYS[1], ARGV[1])
redis.call('hincrby', KEYS[2], 'bytes', size)
if sender ~= '' then
  if not known and redis.call('hlen', KEYS[3]) >= 256 then
    -- the half that was heard of longest ago goes, and first of all those of whom it was not noted when that was
    local all, senders = redis.call('hgetall', KEYS[3]), {}
    for place = 1, #all, 2 do
      senders[#senders + 1] = { all[place], tonumber(string.match(all[place + 1], '%.(%d+)$') or 0) }
    end
    table.sort(senders, function(one, other) return one[2] < other[2] or one[2] == other[2] and one[1] < other[1] end)
    for place = 1, 128 do redis.call('hdel', KEYS[3], senders[place][1]) end
  end
  -- to an earlier version this is a number with a fraction, which changes none of its comparisons
  redis.call('hset', KEYS[3], sender, ARGV[5] .. string.format('.%.0f', now()))
  redis.call('pexpire', KEYS[3], ARGV[6])
end
return 0
