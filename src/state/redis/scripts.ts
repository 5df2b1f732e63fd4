import { hash } from 'node:crypto';

/** A Lua script: one atomic step. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export const script = (source: string): Script => ({ source, sha: hash('sha1', source, 'hex') });

/** Redis' own clock: that of a gateway may be wrong, and there are several. */
export const NOW = `
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
`;

/** `named` holds, per claim value, what the entries that name it say: `before;expiresAt`, empty for none. */
const NAMED = `
local function named(entry) return KEYS[1] .. entry.kind .. ':' .. entry.value end
`;

/**
 * KEYS: named, version, entries, log, expiry. ARGV: id, entry, mark, expiresAt or ''.
 * The version is given and the entry appended in one step, so the order of the log is that of the
 * commits.
 */
export const ADD = script(`${NOW}
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[2]), ARGV[1])
local ttl = redis.call('PTTL', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == '' then
  redis.call('PERSIST', KEYS[1])
  return 1
end
redis.call('ZADD', KEYS[5], ARGV[4], ARGV[1])
-- As long as the entry that lives longest; -2: there was none, -1: one that lives forever.
local left = math.ceil((tonumber(ARGV[4]) - now) * 1000)
if ttl == -2 or (ttl >= 0 and left > ttl) then redis.call('PEXPIRE', KEYS[1], left) end
return 1`);

/** KEYS: named prefix, version, entries, log, expiry, removed. ARGV: id, seconds to remember it. */
export const REMOVE = script(`${NOW}${NAMED}
local text = redis.call('HGET', KEYS[3], ARGV[1])
if not text or redis.call('HEXISTS', KEYS[6], ARGV[1]) == 1 then return false end
local entry = cjson.decode(text)
if entry.expiresAt ~= cjson.null then
  if entry.expiresAt <= now then return false end
else
  redis.call('ZADD', KEYS[5], now + tonumber(ARGV[2]), ARGV[1])
end
redis.call('HDEL', named(entry), ARGV[1])
redis.call('HSET', KEYS[6], ARGV[1], redis.call('ZSCORE', KEYS[4], ARGV[1]))
redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[2]), ARGV[1])
return text`);

/**
 * KEYS: schema. ARGV: the number of this version. The number of what is there; given where there is
 * none, and raised where a version of before has written.
 */
export const OPEN = script(`
local found = redis.call('GET', KEYS[1])
if found and tonumber(found) >= tonumber(ARGV[1]) then return found end
redis.call('SET', KEYS[1], ARGV[1])
return found or ARGV[1]`);

/**
 * KEYS: named prefix, entries, log, expiry, removed, history. ARGV: name for a new history. Deletes what has
 * expired. Fails where nothing can be written, also when there is nothing to do.
 */
export const PURGE = script(`${NOW}${NAMED}
redis.call('SET', KEYS[6], ARGV[1], 'NX')
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 200)) do
  local ok, entry = pcall(cjson.decode, redis.call('HGET', KEYS[2], id) or '')
  if ok then redis.call('HDEL', named(entry), id) end
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[5], id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZREM', KEYS[4], id)
end`);

/**
 * KEYS: version, entries, log, removed, history. ARGV: history of the cursor or '', its version, limit.
 * Writes nothing, so that it works where nothing can be written.
 */
export const CHANGES = script(`
local history = redis.call('GET', KEYS[5]) or 'none'
local since = tonumber(ARGV[2])
local restarted = 0
if ARGV[1] ~= '' and (ARGV[1] ~= history or since > tonumber(redis.call('GET', KEYS[1]) or 0)) then
  restarted = 1
  since = 0
end
local rows = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3] + 1)
local more = 0
if #rows / 2 > tonumber(ARGV[3]) then
  more = 1
  rows[#rows] = nil
  rows[#rows] = nil
end
local ids = {}
for index = 1, #rows, 2 do ids[#ids + 1] = rows[index] end
if #ids == 0 then return { history, restarted, more, tostring(since), {}, {} } end
return {
  history, restarted, more, rows[#rows],
  redis.call('HMGET', KEYS[2], unpack(ids)), redis.call('HMGET', KEYS[4], unpack(ids)),
}`);

/** KEYS: entries, log, removed, expiry. ARGV: id of the last entry of the page before or '', limit. */
export const LIST = script(`${NOW}
local since = 0
if ARGV[1] ~= '' then
  since = redis.call('HGET', KEYS[3], ARGV[1]) or redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0
end
local limit = tonumber(ARGV[2])
local found = {}
while #found < limit do
  local rows = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, 100)
  for index = 1, #rows, 2 do
    since = rows[index + 1]
    if #found < limit and redis.call('HEXISTS', KEYS[3], rows[index]) == 0 then
      local expiresAt = redis.call('ZSCORE', KEYS[4], rows[index])
      if not expiresAt or tonumber(expiresAt) > now then
        found[#found + 1] = redis.call('HGET', KEYS[1], rows[index])
      end
    end
  end
  if #rows < 200 then break end
end
return found`);

/**
 * KEYS: used, replay, and named of everything the token can be revoked by. ARGV: iat or '',
 * 1 to consume, milliseconds until which it is remembered, replay, milliseconds for which that is.
 */
export const CONSUME = script(`${NOW}
local iat = tonumber(ARGV[1])
for index = 3, #KEYS do
  for _, mark in ipairs(redis.call('HVALS', KEYS[index])) do
    local before, expires = string.match(mark, '^(.*);(.*)$')
    if (expires == '' or tonumber(expires) > now)
      and (before == '' or not iat or iat < tonumber(before)) then return { 'revoked' } end
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'consumed', redis.call('GET', KEYS[2]) } end
if ARGV[2] == '1' then
  redis.call('SET', KEYS[1], '', 'PXAT', ARGV[3])
  if tonumber(ARGV[5]) > 0 then redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5]) end
end
return { 'fresh' }`);

/** KEYS: latest expiry. ARGV: exp. */
export const NOTE_EXPIRY = script(`
local latest = redis.call('GET', KEYS[1])
if latest and tonumber(latest) >= tonumber(ARGV[1]) then return latest end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`);

/** KEYS: kept. ARGV: value, milliseconds to keep it. SET with NX and GET needs Redis 7. */
export const PUT_IF_ABSENT = script(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return ARGV[1] end
return redis.call('GET', KEYS[1])`);

/** KEYS: kept. */
export const GET_KEPT = script(`return redis.call('GET', KEYS[1])`);

/** KEYS: counter. ARGV: milliseconds of the window. */
export const HIT = script(`
local hits = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return { hits, left }`);
