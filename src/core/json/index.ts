export {
  ABSENT,
  memberAt,
  toNumber,
  isDeeperThan,
  withNotation,
  withExactNumbers,
  parseJsonExactly,
  isJsonObject,
  hasDuplicateMembers,
  withoutMark,
  isJsonMediaType,
  mediaType,
} from './json.js';
