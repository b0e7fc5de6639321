-- Replaces what a client keeps under some namespaces, unless the whole would become too large.
-- KEYS[1]  hash: namespace -> XML text
-- ARGV[1]  most bytes of all texts and namespaces together
-- ARGV[2]  most namespaces
-- ARGV[3…] namespace, text, namespace, text …; an empty text takes the namespace away
-- Result   0: done, 1: too many bytes, 2: too many namespaces. Nothing is changed then.
local kept = {}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  kept[flat[i]] = flat[i + 1]
end
local grows = 0
for i = 3, #ARGV, 2 do
  local before = kept[ARGV[i]]
  grows = grows + #ARGV[i + 1] - #(before or '')
  kept[ARGV[i]] = ARGV[i + 1]
end
local bytes, count = 0, 0
for namespace, text in pairs(kept) do
  if #text > 0 then
    bytes = bytes + #namespace + #text
    count = count + 1
  end
end
if grows > 0 and bytes > tonumber(ARGV[1]) then
  return 1
end
if count > tonumber(ARGV[2]) and count > #flat / 2 then
  return 2
end
for i = 3, #ARGV, 2 do
  if #ARGV[i + 1] > 0 then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  else
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return 0
