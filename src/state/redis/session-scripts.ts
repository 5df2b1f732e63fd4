import { NOW, script } from './scripts.js';

/**
 * KEYS: sessions of an owner, a hash of records by sid. ARGV: sid, record. Also deletes expired records; the key
 * expires with the last record. Returns the records that have not expired.
 */
export const PUT_SESSION = script(`${NOW}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local latest = 0
local kept = {}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local expires = cjson.decode(all[index + 1]).expiresAt
  if expires <= now then
    redis.call('HDEL', KEYS[1], all[index])
  else
    kept[#kept + 1] = all[index + 1]
    latest = math.max(latest, expires)
  end
end
if latest > 0 then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((latest - now) * 1000))) end
return kept`);

/** KEYS: sessions of an owner. */
export const GET_SESSIONS = script(`return redis.call('HVALS', KEYS[1])`);

/** KEYS: sessions of an owner. ARGV: sids. */
export const REMOVE_SESSIONS = script(`
for _, sid in ipairs(ARGV) do redis.call('HDEL', KEYS[1], sid) end
return 0`);
