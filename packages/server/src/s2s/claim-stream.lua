-- Gives a stream of another server, as it is, to the node to which that server came back.
-- KEYS: the stream. ARGV: the node, and for how many milliseconds it is kept for each second within which it can be resumed.
-- Returns the new epoch, the stanzas that are done with, and these seconds; false where there is no such stream.
local kept = redis.call('get', KEYS[1])
if not kept then return false end
local epoch, _, handled, seconds = string.match(kept, '^(%d+) (%x+) (%d+) (%d+)$')
if not epoch then return false end
epoch = tonumber(epoch) + 1
local record = string.format('%d %s %s %s', epoch, ARGV[1], handled, seconds)
redis.call('set', KEYS[1], record, 'px', string.format('%.0f', tonumber(seconds) * tonumber(ARGV[2])))
return { epoch, tonumber(handled), tonumber(seconds) }
