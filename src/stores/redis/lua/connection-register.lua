-- A connection was greeted: from now on what is for its device goes there, unless another connection has the device.
-- KEYS[1] connection:{u}, HASH device -> node:epoch:connection
-- ARGV[1] device    ARGV[2] node:epoch:connection    ARGV[3] TTL, ms    ARGV[4] the one it may replace, or ""
-- Returns {1, what was replaced, or ""} when taken, {0, who has the device} otherwise. A connection is the same one under
-- another epoch of its node.
local function nameOf(owner)
  local node, connection = string.match(owner, '^([^:]*):[^:]*:(.*)$')
  return node and node .. ':' .. connection
end
local held = redis.call('HGET', KEYS[1], ARGV[1])
local isOther = held and nameOf(held) ~= nameOf(ARGV[2])
if isOther and nameOf(held) ~= nameOf(ARGV[4]) then return { 0, held } end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 1, isOther and held or '' }
