-- Replaces a field of a hash where the hash's version is the one that is expected, and counts the version up.
-- KEYS: 1 the hash. ARGV: 1 the version expected ('0' where there is no hash yet), 2 the field, 3 its value.
-- Answers {1, new version}, or {0, version found}.
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then
  return { 0, tonumber(version) }
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return { 1, redis.call('HINCRBY', KEYS[1], 'version', 1) }
