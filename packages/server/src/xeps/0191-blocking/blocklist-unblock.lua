-- Takes addresses off an account's blocklist; without any, all.
-- KEYS: the list (hash). ARGV: the addresses, each once. Returns those that were on it.
local gone = {}
if #ARGV == 0 then
  local all = redis.call('hgetall', KEYS[1])
  for i = 1, #all, 2 do gone[#gone + 1] = all[i] end
  redis.call('del', KEYS[1])
else
  for _, jid in ipairs(ARGV) do
    if redis.call('hdel', KEYS[1], jid) == 1 then gone[#gone + 1] = jid end
  end
end
return gone
