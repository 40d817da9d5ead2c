-- A server process gives its lease back.
-- KEYS[1] node:{id}
-- ARGV[1] epoch
-- Returns 1 when it had it, 0 otherwise.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
