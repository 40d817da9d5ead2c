-- Takes from a bucket (GCRA, virtual scheduling, ITU-T I.371): kept is the time at which it will be full again.
-- Times are those of the caller, so that one request is judged by one clock; a clock ahead of the others costs them at
-- most the wait that an empty bucket costs.
-- KEYS[1] rl:<bucket>
-- ARGV[1] now, ms    ARGV[2] ms that an empty bucket needs    ARGV[3] ms to take (at most all of it)
-- Returns 0 when taken, otherwise the ms to wait.
local now, refill, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local stored = tonumber(redis.call('GET', KEYS[1]) or ARGV[1])
-- Further off than an empty bucket can be: the clock was set back or the rule tightened.
local known = math.min(stored, now + refill)
local full = math.max(known, now) + cost
local wait = full - refill - now
if wait > 0 then
  if known < stored then redis.call('SET', KEYS[1], string.format('%.17g', known), 'PX', math.ceil(math.max(1, known - now))) end
  return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.17g', full), 'PX', math.ceil(full - now))
return 0
