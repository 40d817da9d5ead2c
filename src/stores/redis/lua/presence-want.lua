-- A server process wants to hear of a user's presence. Time is that of Redis: the processes' clocks may differ.
-- KEYS[1] watch:{u}, ZSET node:epoch -> when it ends, ms
-- ARGV[1] node:epoch    ARGV[2] TTL, ms    ARGV[3] entries at most
-- Returns 1.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
