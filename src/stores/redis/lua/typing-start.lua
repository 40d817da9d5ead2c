-- Somebody types. Time is that of Redis, so that a server process with a wrong clock shows nobody typing for ever.
-- KEYS[1] typing:{conversation}, ZSET user -> when it ends, ms
-- ARGV[1] user    ARGV[2] TTL, ms    ARGV[3] entries at most
-- Returns 1.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
