import { hash } from 'node:crypto';
import { KEEP_SECONDS } from '../forgetting.js';
import { RESTORE_SECONDS } from '../state-store.js';

/** Number of the latest versions that are stamped with their entries; far more than a gateway misses between polls. */
const STAMPS = 4096;
/**
 * Milliseconds after a use in which its request may still be waiting for the answer, so that only the window decides
 * whether others get the replay. Shorter than the second after which a client repeats its request if it was told 503:
 * docs/model shows why.
 */
const LEASE_MS = 500;
/** Milliseconds for which the replay of a use is kept whose request may not have received its answer. */
const UNKNOWN_MS = 3_600_000;

/** A Lua script, which the server runs as one atomic step. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export const script = (source: string): Script => ({ source, sha: hash('sha1', source, 'hex') });

/** Reads the server's clock: there are several gateways, and their clocks may be wrong. */
export const NOW = `
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
`;

/**
 * `named` returns the key of a hash, one for each revocation name. By id of the entry, the hash holds
 * `before;expiresAt`; either is empty where the entry has none. An entry holds its `name`; an entry of version 0.1 is
 * named by its kind and value.
 */
const NAMED = `
local function named(entry) return KEYS[1] .. (entry.name or entry.kind .. ':' .. entry.value) end
`;

/**
 * Appends an entry to the log and stamps its version with its id. A server that comes back from a crash, or takes over
 * from another one, can only have lost the end of its history: it has everything up to a version if it has the same
 * stamp for that version.
 */
const APPEND = `
local function append(id, log, stamps)
  local version = redis.call('INCR', KEYS[2])
  redis.call('ZADD', log, version, id)
  redis.call('HSET', stamps, version % ${STAMPS}, version .. ' ' .. id)
end
`;

/**
 * KEYS: named prefix, version, entries, log, expiry, stamps, incomplete. ARGV: reach or '', the earliest time from
 * which the reach counts or 0, milliseconds for which the store is incomplete or 0, and of each entry: id, name, the
 * entry as JSON without `before`, `before` or '', expiresAt or ''. Returns the last entry as it is kept.
 * The version is assigned and the entry appended in one step, so the order of the log is that of the commits. No key
 * of a revocation has a time to live: the server would go by a clock that may be set wrong.
 */
export const ADD = script(`${NOW}${APPEND}
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[7], '', 'PX', ARGV[3]) end
local kept = false
for index = 4, #ARGV, 5 do
  local id, name, json, before, expires = ARGV[index], ARGV[index + 1], ARGV[index + 2], ARGV[index + 3], ARGV[index + 4]
  kept = redis.call('HGET', KEYS[3], id)
  if not kept then
    if ARGV[1] ~= '' then before = string.format('%d', math.floor(math.max(now, tonumber(ARGV[2]))) + tonumber(ARGV[1])) end
    kept = '{"before":' .. (before == '' and 'null' or before) .. ',' .. string.sub(json, 2)
    redis.call('HSET', KEYS[3], id, kept)
    append(id, KEYS[4], KEYS[6])
    redis.call('HSET', KEYS[1] .. name, id, before .. ';' .. expires)
    redis.call('PERSIST', KEYS[1] .. name)
    if expires ~= '' then redis.call('ZADD', KEYS[5], expires, id) end
  end
end
return kept`);

/**
 * KEYS: named prefix, version, entries, log, expiry, removed, stamps. ARGV: id, seconds for which the removal is
 * remembered if the entry would never have expired. Returns the entry that was removed.
 */
export const REMOVE = script(`${NOW}${NAMED}${APPEND}
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
append(ARGV[1], KEYS[4], KEYS[7])
return text`);

/**
 * KEYS: schema. ARGV: the schema number of this version. Returns the number that is there, or this version's if there
 * is none. Writes this version's number if there is none or a lower one.
 */
export const OPEN = script(`
local found = redis.call('GET', KEYS[1])
if found and tonumber(found) >= tonumber(ARGV[1]) then return found end
redis.call('SET', KEYS[1], ARGV[1])
return found or ARGV[1]`);

/**
 * KEYS: named prefix, entries, log, expiry, removed, history, used expiry, used prefix. ARGV: name for a new history,
 * a time in seconds since 1970. Deletes some of what had expired by that time.
 * Fails on a server that takes no writes, even when there is nothing to delete.
 */
export const PURGE = script(`${NOW}${NAMED}
redis.call('SET', KEYS[6], ARGV[1], 'NX')
local horizon = math.min(tonumber(ARGV[2]), now - ${KEEP_SECONDS})
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', horizon, 'LIMIT', 0, 500)) do
  local ok, entry = pcall(cjson.decode, redis.call('HGET', KEYS[2], id) or '')
  if ok then redis.call('HDEL', named(entry), id) end
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[5], id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZREM', KEYS[4], id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', horizon, 'LIMIT', 0, 500)) do
  redis.call('DEL', KEYS[8] .. id)
  redis.call('ZREM', KEYS[7], id)
end`);

/**
 * KEYS: version, entries, log, removed, history, stamps, incomplete. ARGV: history of the cursor or '', its version,
 * the stamp of that version, 1 if the cursor is from the current process of the server, limit. Writes nothing, so
 * that it also works on a server that takes no writes.
 */
export const CHANGES = script(`${NOW}
local history = redis.call('GET', KEYS[5]) or 'none'
local since = tonumber(ARGV[2])
local restarted = 0
if ARGV[1] ~= '' then
  local at, id = string.match(redis.call('HGET', KEYS[6], since % ${STAMPS}) or '', '^(%d+) (.*)$')
  local stamped = tonumber(at) == since
  if ARGV[1] ~= history or since > tonumber(redis.call('GET', KEYS[1]) or 0)
    or (stamped and id ~= ARGV[3]) or (not stamped and since > 0 and ARGV[4] == '0') then
    restarted = 1
    since = 0
  end
end
local rows = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[5] + 1)
local more = 0
if #rows / 2 > tonumber(ARGV[5]) then
  more = 1
  rows[#rows] = nil
  rows[#rows] = nil
end
local ids = {}
for index = 1, #rows, 2 do ids[#ids + 1] = rows[index] end
-- A longer time to live is from before the clock was set back.
local left = redis.call('PTTL', KEYS[7])
local incomplete = left > 0 and left <= ${RESTORE_SECONDS * 1000} and 1 or 0
local clock = string.format('%.6f', now)
if #ids == 0 then return { clock, history, restarted, more, incomplete, tostring(since), restarted == 1 and '-' or ARGV[3], {}, {} } end
return {
  clock, history, restarted, more, incomplete, rows[#rows], ids[#ids],
  redis.call('HMGET', KEYS[2], unpack(ids)), redis.call('HMGET', KEYS[4], unpack(ids)),
}`);

/** KEYS: entries, log, removed, expiry. ARGV: id of the last entry of the previous page or '', limit. */
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
 * A use is kept as the nonce of its request. Until that request is known to have received its answer, two times
 * follow, in milliseconds since 1970: that of the use, and that until which others get the replay.
 */
const USED = `
local function parse(used) return string.match(used, '^(%S*) ?(%d*) ?(%d*)$') end
`;

/**
 * KEYS: used, replay, used expiry, and the `named` key of every name the token can be revoked by. ARGV: 1 to consume
 * or 0 to look, nonce or '', seconds since 1970 until which the use is remembered, its id, replay or '', milliseconds
 * for which others get the replay, seconds since 1970 after which the caller no longer waits or '', and per name the
 * time that `before` is compared with or ''.
 */
export const CONSUME = script(`${NOW}${USED}
if ARGV[7] ~= '' and now > tonumber(ARGV[7]) then return { 'late' } end
for index = 4, #KEYS do
  local time = tonumber(ARGV[index + 4])
  for _, mark in ipairs(redis.call('HVALS', KEYS[index])) do
    local before, expires = string.match(mark, '^(.*);(.*)$')
    if (expires == '' or tonumber(expires) > now)
      and (before == '' or not time or time < tonumber(before)) then return { 'revoked' } end
  end
end
local used = redis.call('GET', KEYS[1])
if used then
  local nonce, since, live = parse(used)
  if ARGV[2] ~= '' and nonce == ARGV[2] then return { 'fresh' } end
  -- While its request may be waiting for the answer, only the window counts.
  if since == '' or now * 1000 < tonumber(live) or now * 1000 > tonumber(since) + ${LEASE_MS} then
    return { 'consumed', redis.call('GET', KEYS[2]) }
  end
  return { 'consumed' }
end
if ARGV[1] == '1' then
  local ttl = tonumber(ARGV[6])
  if ARGV[2] == '' then
    redis.call('SET', KEYS[1], '')
  else
    local ms = math.floor(now * 1000)
    redis.call('SET', KEYS[1], string.format('%s %d %d', ARGV[2], ms, ms + ttl))
    ttl = math.max(ttl, ${UNKNOWN_MS})
  end
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4])
  if ttl > 0 and ARGV[5] ~= '' then redis.call('SET', KEYS[2], ARGV[5], 'PX', ttl) end
end
return { 'fresh' }`);

/** KEYS: used, replay. ARGV: nonce. The request has received its answer: from now on only the window counts. */
export const SETTLE = script(`${NOW}${USED}
local nonce, since, live = parse(redis.call('GET', KEYS[1]) or '')
if nonce ~= ARGV[1] or since == '' then return end
redis.call('SET', KEYS[1], nonce)
local left = math.ceil(tonumber(live) - now * 1000)
if left > 0 then redis.call('PEXPIRE', KEYS[2], left) else redis.call('DEL', KEYS[2]) end`);

/** KEYS: latest expiry. ARGV: exp. */
export const NOTE_EXPIRY = script(`
local latest = redis.call('GET', KEYS[1])
if latest and tonumber(latest) >= tonumber(ARGV[1]) then return latest end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`);

/** KEYS: kept. ARGV: value, milliseconds to keep it. Two commands, as SET with NX and GET needs Redis 7. */
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
