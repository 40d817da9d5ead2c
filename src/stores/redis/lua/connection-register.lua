-- A connection was greeted: from now on what is for its device goes there.
-- KEYS[1] connection:{u}, HASH device -> node:epoch:connection
-- ARGV[1] device    ARGV[2] node:epoch:connection    ARGV[3] TTL, ms
-- Returns what was registered of the device before, or "".
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return before or ''
