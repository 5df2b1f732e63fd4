export {
  ABSENT,
  memberAt,
  toNumber,
  isDeeperThan,
  asWritten,
  exactly,
  parseJsonExactly,
  isJsonObject,
  hasDuplicateMembers,
  withoutMark,
  isJsonMediaType,
  mediaType,
} from './json.js';
