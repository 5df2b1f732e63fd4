export { isJsonMediaType, mediaType } from './media-type.js';
export {
  toNumber,
  isDeeperThan,
  exactly,
  parseJsonExactly,
  isJsonObject,
  hasDuplicateMembers,
} from './json.js';
export { ABSENT, memberAt } from './member-path.js';
