-- Who types now, by the time of Redis.
-- KEYS[1] typing:{conversation}, ZSET user -> when it ends, ms
-- Returns the users.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
