-- A server process is there; who else is? Time is that of Redis: the processes' clocks may differ.
-- KEYS[1] nodes, ZSET node:epoch -> when its lease ends, ms
-- ARGV[1] node:epoch of the asking process    ARGV[2] TTL, ms
-- Returns node:epoch of every process, the one heard of last at the end.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
