export { isJsonMediaType, mediaType } from './media-type.js';
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
} from './json.js';
