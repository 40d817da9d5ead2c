-- A connection of a user ended: the user is offline when no other device is there.
-- KEYS[1] online:{u}    KEYS[2] HASH device -> owner    KEYS[3] lastseen:{u}
-- ARGV[1] when, ms      ARGV[2] TTL of lastseen, ms     ARGV[3..] device, owner, device, owner, ...: the one that
--         leaves first, then others of the same process that fell silent
-- Returns 1 when the user is offline now, 0 when another device is there, -1 when a newer connection has the device.
local held = redis.call('HGET', KEYS[2], ARGV[3])
if held and held ~= ARGV[4] then return -1 end
for at = 3, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[at]) == ARGV[at + 1] then redis.call('HDEL', KEYS[2], ARGV[at]) end
end
if held then
  local seen = tonumber(redis.call('GET', KEYS[3]) or '0')
  if tonumber(ARGV[1]) >= seen then redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2]) end
end
if redis.call('HLEN', KEYS[2]) > 0 then return 0 end
redis.call('DEL', KEYS[1])
return 1
