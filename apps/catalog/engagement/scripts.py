"""What is counted, as Lua: each script is atomic on one Redis and bounds what it writes.

Members are the 16 bytes of a product's id. ``now`` is Redis's own clock in seconds unless a caller
(a test) brings one. Every key ends by itself when nothing is added any more.
"""

NOW = """
local now = tonumber(ARGV[1])
if not now then
    local t = redis.call('TIME')
    now = tonumber(t[1]) + tonumber(t[2]) / 1000000
end
"""
TRIM = """
local function trim(key, most)
    local over = redis.call('ZCARD', key) - most
    if over > 0 then redis.call('ZREMRANGEBYRANK', key, 0, over - 1) end
end
"""

# Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009): an addition at
# ``t`` weighs 2^((t - mark) / half), so that scores only grow and their order is that of the
# decayed values at any time; a score divided by the weight of now is the decayed value. The mark
# moves before the weights leave what a double holds, or when the half-life is another one.
# KEYS: scores, mark[, names]. ARGV: now, half, most, least, seconds, member, count, …
DECAYED = (
    NOW
    + """
local half, most, least = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', KEYS[2], 'at', 'half')
local at, was = tonumber(known[1]), tonumber(known[2])
if not at then
    redis.call('DEL', KEYS[1])
    if KEYS[3] then redis.call('DEL', KEYS[3]) end
elseif was ~= half or (now - at) / half > 256 then
    redis.call('ZUNIONSTORE', KEYS[1], 1, KEYS[1], 'WEIGHTS', 2 ^ ((at - now) / was))
    at = nil
end
if not at then
    at = now
    redis.call('HSET', KEYS[2], 'at', at, 'half', half)
end
local weight = 2 ^ ((now - at) / half)
for i = 6, #ARGV, 2 do
    redis.call('ZINCRBY', KEYS[1], weight * ARGV[i + 1], ARGV[i])
    if KEYS[3] then redis.call('ZADD', KEYS[3], 0, ARGV[i]) end
end
local function forget(members)
    for _, one in ipairs(members) do
        redis.call('ZREM', KEYS[1], one)
        if KEYS[3] then redis.call('ZREM', KEYS[3], one) end
    end
end
forget(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.17g', weight * least)))
local over = redis.call('ZCARD', KEYS[1]) - most
if over > 0 then forget(redis.call('ZRANGE', KEYS[1], 0, over - 1)) end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[5]) end
return 1
"""
)

# KEYS: scores, mark. ARGV: now, how many. The highest, with what their counts have decayed to.
LEADERS = (
    NOW
    + """
local known = redis.call('HMGET', KEYS[2], 'at', 'half')
local out = {}
if not known[1] then return out end
local weight = 2 ^ ((now - known[1]) / known[2])
local found = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
    out[#out + 1] = found[i]
    out[#out + 1] = string.format('%.17g', found[i + 1] / weight)
end
return out
"""
)

# KEYS: scores, mark, names. ARGV: now, from, to, how many, the least count that is told.
NAMED = (
    NOW
    + """
local known = redis.call('HMGET', KEYS[2], 'at', 'half')
local out = {}
if not known[1] then return out end
local least = ARGV[5] * 2 ^ ((now - known[1]) / known[2])
for _, one in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], ARGV[2], ARGV[3])) do
    local score = tonumber(redis.call('ZSCORE', KEYS[1], one))
    if score and score >= least then out[#out + 1] = {score, one} end
end
table.sort(out, function(a, b) return a[1] > b[1] or (a[1] == b[1] and a[2] < b[2]) end)
local best = {}
for i = 1, math.min(#out, tonumber(ARGV[4])) do best[i] = out[i][2] end
return best
"""
)

# KEYS: prefix of the days. ARGV: now, most, days kept, member, count, …
VIEWED = (
    NOW
    + TRIM
    + """
local key = KEYS[1] .. math.floor(now / 86400)
for i = 4, #ARGV, 2 do redis.call('ZINCRBY', key, ARGV[i + 1], ARGV[i]) end
trim(key, tonumber(ARGV[2]))
redis.call('EXPIRE', key, ARGV[3] * 86400)
return 1
"""
)

# A sketch of visitors per product and day; so many products a day have one (12 KB at most each).
# KEYS: prefix of the days. ARGV: now, most, days kept, product, visitor, …
VISITED = (
    NOW
    + """
local day = KEYS[1] .. math.floor(now / 86400)
local most, seconds = tonumber(ARGV[2]), ARGV[3] * 86400
for i = 4, #ARGV, 2 do
    if redis.call('SISMEMBER', day, ARGV[i]) == 1 or redis.call('SCARD', day) < most then
        redis.call('SADD', day, ARGV[i])
        redis.call('PFADD', day .. ':' .. ARGV[i], ARGV[i + 1])
        redis.call('EXPIRE', day .. ':' .. ARGV[i], seconds)
    end
end
redis.call('EXPIRE', day, seconds)
return 1
"""
)

# KEYS: index of the lists, prefix of the lists. ARGV: now, entries, lists, seconds, list, product,
# … in the order they were seen. What was seen before moves to the front.
SEEN = (
    NOW
    + """
local function drop(names)
    for _, name in ipairs(names) do redis.call('UNLINK', KEYS[2] .. name) end
end
for i = 5, #ARGV, 2 do
    local list = KEYS[2] .. ARGV[i]
    redis.call('LREM', list, 0, ARGV[i + 1])
    redis.call('LPUSH', list, ARGV[i + 1])
    redis.call('LTRIM', list, 0, ARGV[2] - 1)
    redis.call('EXPIRE', list, ARGV[4])
    redis.call('ZADD', KEYS[1], now, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[4])
local over = redis.call('ZCARD', KEYS[1]) - ARGV[3]
if over > 0 then
    drop(redis.call('ZRANGE', KEYS[1], 0, over - 1))
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
)
