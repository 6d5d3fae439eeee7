"""The protocol against races, as Lua: each script is atomic on one Redis.

Two-phase invalidation with lease fill (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013,
for the lease; the registered writers are what makes it hold when writers die):

- a writer unlinks value and lease and registers itself before it commits, and unlinks and
  unregisters after;
- a reader that finds nothing may fill only under a lease it took while no writer was registered,
  and only while that lease is still its own.

A tag is a key whose value is a generation: random, made while no writer was registered, gone with
the first of the two unlinks. A value under tags keeps the generations that were there before it was
read, and counts only while they are the same.

``KEYS`` are ``value, lease, writers`` for each key in turn. Times are Redis's own, in milliseconds.
What somebody else left under a name of ours is removed.
"""

NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

# ARGV[1] is the token, ARGV[2] the lease's milliseconds.
TAKE = (
    NOW
    + """
local function busy(writers)
    local pruned = redis.pcall('ZREMRANGEBYSCORE', writers, '-inf', now)
    if type(pruned) == 'table' then redis.call('UNLINK', writers) return false end
    return redis.call('EXISTS', writers) == 1
end
local function take(lease, writers)
    if busy(writers) then return {2} end
    if redis.call('SET', lease, ARGV[1], 'NX', 'PX', ARGV[2]) then return {3} end
    local holder = redis.pcall('GET', lease)
    if type(holder) == 'table' then
        redis.call('UNLINK', lease)
        redis.call('SET', lease, ARGV[1], 'PX', ARGV[2])
        return {3}
    end
    if holder == ARGV[1] then return {3} end
    return {4, holder}
end
local function fields(value)
    local found = redis.pcall('HGETALL', value)
    if found.err then redis.call('UNLINK', value) return {} end
    return found
end
"""
)

# ARGV: token, lease milliseconds, how many of the keys are values (the others are tags),
# milliseconds that a tag's generation lives.
# Of each value: {HIT, pttl, fields}, {WRITERS}, {LEASED} or {TAKEN, its token}.
# Of each tag: {HIT, generation} or {WRITERS}.
LOOK = (
    TAKE
    + """
local values = ARGV[3] * 3
local out = {}
for i = 1, #KEYS, 3 do
    local found = fields(KEYS[i])
    if i <= values then
        if #found > 0 then
            out[#out + 1] = {1, redis.call('PTTL', KEYS[i]), found}
        else
            out[#out + 1] = take(KEYS[i + 1], KEYS[i + 2])
        end
    elseif #found > 0 then
        out[#out + 1] = {1, found[2]}
    elseif busy(KEYS[i + 2]) then
        out[#out + 1] = {2}
    else
        local generation = ARGV[1] .. '.' .. t[1] .. '.' .. t[2]
        redis.call('HSET', KEYS[i], 'g', generation)
        redis.call('PEXPIRE', KEYS[i], ARGV[4])
        out[#out + 1] = {1, generation}
    end
end
return out
"""
)
AWAY, HIT, WRITERS, LEASED, TAKEN = 0, 1, 2, 3, 4  # AWAY is what a caller makes of no answer

# ARGV: token, lease milliseconds. One key, whatever its value: as LOOK where there is none.
LEASE = TAKE + "return take(KEYS[2], KEYS[3])"

# ARGV: token, then of each key milliseconds to live, how many words, field, value, …
# Of each key 1 if it was filled.
FILL = """
local out = {}
local at = 2
for i = 1, #KEYS, 3 do
    local count = tonumber(ARGV[at + 1])
    if redis.pcall('GET', KEYS[i + 1]) == ARGV[1] then
        redis.call('UNLINK', KEYS[i], KEYS[i + 1])
        redis.call('HSET', KEYS[i], unpack(ARGV, at + 2, at + 1 + count))
        redis.call('PEXPIRE', KEYS[i], ARGV[at])
        out[#out + 1] = 1
    else
        out[#out + 1] = 0
    end
    at = at + 2 + count
end
return out
"""

# ARGV: token. Gives the leases back that are still its own.
RELEASE = """
for i = 1, #KEYS, 3 do
    if redis.pcall('GET', KEYS[i + 1]) == ARGV[1] then redis.call('UNLINK', KEYS[i + 1]) end
end
return 1
"""

# ARGV: token, milliseconds a writer's entry stands, channel, message.
BEGIN = (
    NOW
    + """
for i = 1, #KEYS, 3 do
    local writers = KEYS[i + 2]
    redis.call('UNLINK', KEYS[i], KEYS[i + 1])
    local added = redis.pcall('ZADD', writers, now + ARGV[2], ARGV[1])
    if type(added) == 'table' then
        redis.call('UNLINK', writers)
        redis.call('ZADD', writers, now + ARGV[2], ARGV[1])
    end
    if redis.call('PTTL', writers) < ARGV[2] + 1000 then
        redis.call('PEXPIRE', writers, ARGV[2] + 1000)
    end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
"""
)

# ARGV: token, channel, message.
END = """
for i = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[i], KEYS[i + 1])
    redis.pcall('ZREM', KEYS[i + 2], ARGV[1])
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""
