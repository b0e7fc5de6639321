-- Adds addresses to an account's blocklist: all of them, or none where they do not fit.
-- KEYS: the list (hash). ARGV: the most addresses, then the addresses, each once. Returns those that are new, or -1
-- where there would be too many.
local new = {}
for i = 2, #ARGV do
  if not redis.call('hget', KEYS[1], ARGV[i]) then new[#new + 1] = ARGV[i] end
end
if redis.call('hlen', KEYS[1]) + #new > tonumber(ARGV[1]) then return -1 end
for _, jid in ipairs(new) do redis.call('hset', KEYS[1], jid, '') end
return new
