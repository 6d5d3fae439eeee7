"""Write-behind's moves, as Lua: each is atomic on the durable Redis, in its file too.

``KEYS[1]`` is the buffer's base (``layout``), ``KEYS[2]`` the shard's dirty set where one is named.
Times are Redis's own, in milliseconds. ``INFO`` costs 5 µs a call.
"""

NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

# A Redis that was started anew may have lost the end of its file, with versions that rows already
# have: it gives out none before somebody has drawn a new epoch. {0, token} says so; the token is
# lost with whatever loses the epoch, so an epoch drawn earlier cannot be set later.
EPOCH = (
    NOW
    + """
local base = KEYS[1]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local meta = redis.call('HMGET', base .. 'm', 'epoch', 'run', 'counter', 'wanted')
if meta[2] ~= run then
    local wanted = meta[4]
    if not wanted or string.sub(wanted, 1, #run) ~= run then
        wanted = run .. ':' .. t[1] .. ':' .. t[2]
        redis.call('HSET', base .. 'm', 'wanted', wanted)
    end
    return {0, wanted}
end
local epoch, counter = meta[1], tonumber(meta[3])
"""
)

# ARGV: token, epoch. 1 if the epoch is in force now.
SET_EPOCH = """
local base = KEYS[1]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local meta = redis.call('HMGET', base .. 'm', 'epoch', 'wanted')
if meta[2] ~= ARGV[1] or string.sub(ARGV[1], 1, #run) ~= run then return 0 end
if meta[1] and tonumber(meta[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', base .. 'm', 'epoch', ARGV[2], 'run', run, 'counter', 0)
redis.call('HDEL', base .. 'm', 'wanted')
return 1
"""

# What is pending already of a key keeps the version it came with, in ``:o:<field>``, where the key
# gets a newer one and the field does not: rows that have it already are not given it again.
KEEP_AGE = """
local function keep_age(state, fresh)
    local old, fields = {}, redis.call('HGETALL', state)
    for i = 1, #fields, 2 do old[fields[i]] = fields[i + 1] end
    for name in pairs(old) do
        if string.sub(name, 1, 1) ~= ':' then
            if fresh[name] then
                if old[':o:' .. name] then redis.call('HDEL', state, ':o:' .. name) end
            elseif not old[':o:' .. name] then
                redis.call('HSET', state, ':o:' .. name, old[':e'] .. '-' .. old[':c'])
            end
        end
    end
    return old[':d']
end
"""

# ARGV: shards, limit, length of the log, by, ms a nudge stands, then of each change: shard, key,
# number of words that follow (-1: a tombstone), field, value, … → {1, epoch, counters (0: full, -1:
# deleted), shards that nobody is on the way to}.
PUT = (
    KEEP_AGE
    + EPOCH
    + """
local total = 0
for shard = 0, ARGV[1] - 1 do total = total + redis.call('ZCARD', base .. 'd:' .. shard) end
local limit = tonumber(ARGV[2])
local out, touched, i = {}, {}, 6
while i <= #ARGV do
    local shard, key, words = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local state, dirty = base .. 's:' .. key, base .. 'd:' .. shard
    i = i + 3
    local added = 0
    if total < limit or redis.call('ZSCORE', dirty, key) then
        added = redis.call('ZADD', dirty, 'NX', now, key)
        total = total + added
        local dead = false
        if added == 0 then
            local fresh = {}
            for one = i, i + words - 1, 2 do fresh[ARGV[one]] = true end
            dead = keep_age(state, fresh)
        end
        if dead then
            out[#out + 1] = -1
        else
            counter = counter + 1
            out[#out + 1] = counter
            touched[shard] = true
            if words < 0 then
                redis.call('UNLINK', state)
                redis.call('HSET', state, ':e', epoch, ':c', counter, ':d', 1)
                redis.call('XADD', base .. 'l', 'MAXLEN', '~', ARGV[3], '*',
                    ':k', key, ':e', epoch, ':c', counter, ':b', ARGV[4], ':d', 1)
            else
                redis.call('HSET', state, ':e', epoch, ':c', counter,
                    unpack(ARGV, i, i + words - 1))
                redis.call('XADD', base .. 'l', 'MAXLEN', '~', ARGV[3], '*',
                    ':k', key, ':e', epoch, ':c', counter, ':b', ARGV[4],
                    unpack(ARGV, i, i + words - 1))
            end
        end
    else
        out[#out + 1] = 0
    end
    if words > 0 then i = i + words end
end
redis.call('HSET', base .. 'm', 'counter', counter)
local idle = {}
for shard in pairs(touched) do
    if redis.call('SET', base .. 'n:' .. shard, 1, 'NX', 'PX', ARGV[5]) then
        idle[#idle + 1] = tonumber(shard)
    end
end
return {1, tonumber(epoch), out, idle}
"""
)

# ARGV: offset, how many. The oldest first: {now, {key, {field, value, …}}, …}.
TAKE_OLDEST = (
    NOW
    + """
local out = {now}
for _, key in ipairs(redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[1] + ARGV[2] - 1)) do
    out[#out + 1] = {key, redis.call('HGETALL', KEYS[1] .. 's:' .. key)}
end
return out
"""
)

# ARGV: keys. As above, of those that are pending.
TAKE_KEYS = (
    NOW
    + """
local out = {now}
for _, key in ipairs(ARGV) do
    local state = redis.call('HGETALL', KEYS[1] .. 's:' .. key)
    if #state > 0 then out[#out + 1] = {key, state} end
end
return out
"""
)

# ARGV: when the batch was taken, then of each: key, epoch, counter. What has changed since stays,
# dirty since it was taken. → how many went.
CLEAR = """
local states, keys = {}, {}
for i = 2, #ARGV, 3 do
    local state = KEYS[1] .. 's:' .. ARGV[i]
    local version = redis.call('HMGET', state, ':e', ':c')
    if version[1] == ARGV[i + 1] and version[2] == ARGV[i + 2] then
        states[#states + 1], keys[#keys + 1] = state, ARGV[i]
    else
        redis.call('ZADD', KEYS[2], 'XX', 'GT', ARGV[1], ARGV[i])
    end
end
if #keys > 0 then
    redis.call('UNLINK', unpack(states))
    redis.call('ZREM', KEYS[2], unpack(keys))
end
return #keys
"""

# ARGV: key, epoch, counter, reason. 1 if it is a dead letter now; 0 if it has changed meanwhile.
BURY = (
    NOW
    + """
local base = KEYS[1]
local state = base .. 's:' .. ARGV[1]
local version = redis.call('HMGET', state, ':e', ':c')
if version[1] ~= ARGV[2] or version[2] ~= ARGV[3] then return 0 end
local id = ARGV[2] .. '-' .. ARGV[3]
redis.call('RENAME', state, base .. 'x:' .. id)
redis.call('HSET', base .. 'x:' .. id, ':k', ARGV[1], ':r', ARGV[4])
redis.call('ZADD', base .. 'x', now, id)
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""
)

# ARGV: id, key. Back among the pending with a new version, beneath what came since.
# → {1, epoch, counter}, {2} where there is none, or {0, token}.
REDRIVE = (
    KEEP_AGE
    + EPOCH
    + """
local dead = base .. 'x:' .. ARGV[1]
local state = base .. 's:' .. ARGV[2]
local found = redis.call('HGETALL', dead)
if #found == 0 then return {2} end
local fresh = redis.call('ZADD', KEYS[2], 'NX', now, ARGV[2]) == 1
if not fresh then keep_age(state, {}) end
counter = counter + 1
redis.call('HSET', state, ':e', epoch, ':c', counter)
for i = 1, #found, 2 do
    if string.sub(found[i], 1, 1) ~= ':' then
        redis.call('HSETNX', state, found[i], found[i + 1])
    elseif found[i] == ':d' and fresh then
        redis.call('HSET', state, ':d', 1)
    end
end
redis.call('HSET', base .. 'm', 'counter', counter)
redis.call('UNLINK', dead)
redis.call('ZREM', base .. 'x', ARGV[1])
return {1, tonumber(epoch), counter}
"""
)

# ARGV: id, length of the log, by. 1 if it was there.
DISCARD = """
local base = KEYS[1]
local dead = base .. 'x:' .. ARGV[1]
local found = redis.call('HMGET', dead, ':k', ':e', ':c')
if not found[1] then return 0 end
redis.call('XADD', base .. 'l', 'MAXLEN', '~', ARGV[2], '*',
    ':k', found[1], ':e', found[2], ':c', found[3], ':b', ARGV[3], ':x', 1)
redis.call('UNLINK', dead)
redis.call('ZREM', base .. 'x', ARGV[1])
return 1
"""

# KEYS: lease. ARGV: token, milliseconds. 1 if it is (still) the token's.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

# KEYS: lease, who waits. 1 if somebody waits for it.
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
return redis.call('EXISTS', KEYS[2])
"""
