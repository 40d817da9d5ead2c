-- A process says that it still holds the connection of a device. The same connection under another epoch of the same
-- node is the same one: the process had lost its lease and has a new one.
-- KEYS[1] connection:{u}, HASH device -> node:epoch:connection
-- ARGV[1] device    ARGV[2] node:epoch:connection    ARGV[3] TTL, ms
-- Returns 1 when held (written again if it was forgotten), 0 when another connection of the device was registered since.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held ~= ARGV[2] then
  if held then
    local node, connection = string.match(held, '^([^:]*):[^:]*:(.*)$')
    local ownNode, ownConnection = string.match(ARGV[2], '^([^:]*):[^:]*:(.*)$')
    if node ~= ownNode or connection ~= ownConnection then return 0 end
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
