-- A connection ended. Another one of the device, registered since, stays.
-- KEYS[1] connection:{u}, HASH device -> node:epoch:connection
-- ARGV[1] device    ARGV[2] node:epoch:connection (whatever the epoch is)
-- Returns 1 when it was there, 0 otherwise.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return 0 end
local node, connection = string.match(held, '^([^:]*):[^:]*:(.*)$')
local ownNode, ownConnection = string.match(ARGV[2], '^([^:]*):[^:]*:(.*)$')
if node ~= ownNode or connection ~= ownConnection then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
