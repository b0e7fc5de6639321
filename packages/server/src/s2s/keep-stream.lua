-- Takes down how far a stream of another server has come that can be resumed; or lets go of it.
-- KEYS: the stream. ARGV: its epoch, the node that has it, the stanzas that are done with, the seconds within which it can
-- be resumed, and for how many milliseconds it is kept, 0 for not at all.
-- Returns 1, or 0 where another node has it.
local epoch, handled = tonumber(ARGV[1]), tonumber(ARGV[3])
local kept = redis.call('get', KEYS[1])
if kept then
  local kept_epoch, owner, kept_handled = string.match(kept, '^(%d+) (%x+) (%d+) %d+$')
  kept_epoch = tonumber(kept_epoch)
  if kept_epoch and (kept_epoch > epoch or kept_epoch == epoch and owner ~= ARGV[2]) then return 0 end
  -- what was on its way for long takes nothing back
  if kept_epoch == epoch and (handled - tonumber(kept_handled)) % 4294967296 >= 2147483648 then
    handled = tonumber(kept_handled)
  end
end
if ARGV[5] == '0' then
  redis.call('del', KEYS[1])
else
  local record = string.format('%d %s %.0f %s', epoch, ARGV[2], handled, ARGV[4])
  redis.call('set', KEYS[1], record, 'px', ARGV[5])
end
return 1
