-- A server process holds on to its lease.
-- KEYS[1] node:{id}
-- ARGV[1] epoch    ARGV[2] TTL, ms
-- Returns 1 when renewed, 0 when it had ended (nothing is written), -1 when another process has it.
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
return held and -1 or 0
