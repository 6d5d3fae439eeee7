"""What is sold, as Lua: counted once for each event, in a generation that a rebuild replaces.

KEYS[1] names the generation in use, KEYS[2] is the root of all generations' keys:
``<root><generation>:all``, ``:day:<n>``, ``:with:<product>`` (sorted sets), ``:products`` (the
products of the ``:with:`` sets by the time of their last sale) and ``:applied`` (events by the time
until which they are known).
"""

from apps.catalog.engagement.scripts import NOW, TRIM

GENERATION = """
local function root_of(given)
    if given ~= '' then return KEYS[2] .. given end
    return KEYS[2] .. (redis.call('GET', KEYS[1]) or '0')
end
"""

# ARGV: now, generation ('' = that in use), MessagePack of
#   {read, remembered, most, most_a_day, days, together, seconds, products} – when the caller read
# what it brings, how long events are known, the bounds – and what to add:
#   events {id, …}, all {product, pieces, …}, sold {{day, product, pieces, …}, …},
#   with {product, other, orders, …}; then the products, which are meant by their place in the list
#   (this Redis reads no binary strings in MessagePack).
# {-1}: read too long ago; else the events that were applied before – then nothing was added.
SOLD = (
    NOW
    + TRIM
    + GENERATION
    + """
local root, given = root_of(ARGV[2]), cmsgpack.unpack(ARGV[3])
if now - given.read > given.remembered / 2 then return {'-1'} end
local applied, seen = root .. ':applied', {}
for _, event in ipairs(given.events) do
    if redis.call('ZSCORE', applied, event) then seen[#seen + 1] = event end
end
if #seen > 0 then return seen end
local function raise(key, member, by)
    if tonumber(redis.call('ZINCRBY', key, by, member)) <= 0 then
        redis.call('ZREM', key, member)
    end
end
local function add(key, flat, from)
    for i = from, #flat, 2 do raise(key, ARGV[3 + flat[i]], flat[i + 1]) end
end
add(root .. ':all', given.all, 1)
trim(root .. ':all', given.most)
redis.call('EXPIRE', root .. ':all', given.seconds)
local today = math.floor(now / 86400)
for _, flat in ipairs(given.sold) do
    if flat[1] > today - given.days then
        local key = root .. ':day:' .. flat[1]
        add(key, flat, 2)
        trim(key, given.most_a_day)
        redis.call('EXPIREAT', key, (flat[1] + given.days) * 86400)
    end
end
local touched = {}
for i = 1, #given.with, 3 do
    local one, other = ARGV[3 + given.with[i]], ARGV[3 + given.with[i + 1]]
    raise(root .. ':with:' .. one, other, given.with[i + 2])
    touched[one] = true
end
local products = root .. ':products'
for one in pairs(touched) do
    local key = root .. ':with:' .. one
    trim(key, given.together)
    redis.call('EXPIRE', key, given.seconds)
    redis.call('ZADD', products, now, one)
end
redis.call('ZREMRANGEBYSCORE', products, '-inf', now - given.seconds)
local over = redis.call('ZCARD', products) - given.products
if over > 0 then
    for _, one in ipairs(redis.call('ZRANGE', products, 0, over - 1)) do
        redis.call('UNLINK', root .. ':with:' .. one)
        redis.call('ZREM', products, one)
    end
end
redis.call('EXPIRE', products, given.seconds)
for _, event in ipairs(given.events) do
    redis.call('ZADD', applied, now + given.remembered, event)
end
redis.call('ZREMRANGEBYSCORE', applied, '-inf', now)
redis.call('EXPIRE', applied, given.seconds)
return {}
"""
)

# ARGV: now, how many days (0: of all time, -1: bought together with ARGV[4]), how many, product.
# Several days are added up once in a while and kept for a few seconds.
SELLERS = (
    NOW
    + GENERATION
    + """
local root, days, key = root_of(''), tonumber(ARGV[2]), nil
local today = math.floor(now / 86400)
if days == 0 then
    key = root .. ':all'
elseif days < 0 then
    key = root .. ':with:' .. ARGV[4]
elseif days == 1 then
    key = root .. ':day:' .. today
else
    key = root .. ':sum:' .. today .. ':' .. days
    if redis.call('EXISTS', key) == 0 then
        local each = {}
        for i = 0, days - 1 do each[i + 1] = root .. ':day:' .. (today - i) end
        redis.call('ZUNIONSTORE', key, days, unpack(each))
        redis.call('EXPIRE', key, 5)
    end
end
return redis.call('ZREVRANGE', key, 0, ARGV[3] - 1, 'WITHSCORES')
"""
)

# ARGV: now, MessagePack of {event, …}, seconds: a rebuild's generation knows these events.
KNOWN = (
    NOW
    + """
for _, event in ipairs(cmsgpack.unpack(ARGV[2])) do
    redis.call('ZADD', KEYS[1], now + ARGV[3], event)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
)
