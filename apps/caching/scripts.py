"""The protocol against races, as Lua: each script is atomic on one Redis.

Two-phase invalidation with lease fill (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013,
for the lease; the registered writers are what makes it hold when writers die):

- a writer unlinks value and lease and registers itself before it commits, and unlinks and
  unregisters after;
- a reader that finds nothing may fill only under a lease it took while no writer was registered,
  and only while that lease is still its own.

``KEYS`` are ``value, lease, writers`` for each key in turn. Times are Redis's own, in milliseconds.
"""

NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

# ARGV: token, lease milliseconds. Of each key: {HIT, pttl, fields}, {WRITERS}, {LEASED} or {TAKEN}.
LOOK = (
    NOW
    + """
local out = {}
for i = 1, #KEYS, 3 do
    local found = redis.call('HGETALL', KEYS[i])
    if #found > 0 then
        out[#out + 1] = {1, redis.call('PTTL', KEYS[i]), found}
    else
        redis.call('ZREMRANGEBYSCORE', KEYS[i + 2], '-inf', now)
        if redis.call('EXISTS', KEYS[i + 2]) == 1 then
            out[#out + 1] = {2}
        elseif redis.call('SET', KEYS[i + 1], ARGV[1], 'NX', 'PX', ARGV[2]) then
            out[#out + 1] = {3}
        else
            out[#out + 1] = {4}
        end
    end
end
return out
"""
)
HIT, WRITERS, LEASED, TAKEN = 1, 2, 3, 4

# ARGV: token, milliseconds to live, field, value, … One key. 1 if it was filled.
FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

# ARGV: token, milliseconds a writer's entry stands, channel, message.
BEGIN = (
    NOW
    + """
for i = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[i], KEYS[i + 1])
    redis.call('ZADD', KEYS[i + 2], now + ARGV[2], ARGV[1])
    redis.call('PEXPIRE', KEYS[i + 2], ARGV[2] + 1000)
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
"""
)

# ARGV: token, channel, message.
END = """
for i = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[i], KEYS[i + 1])
    redis.call('ZREM', KEYS[i + 2], ARGV[1])
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""
