export { isJsonMediaType, mediaType } from './media-type.js';
export {
  toNumber,
  isDeeperThan,
  exactly,
  parseJsonExactly,
  isJsonObject,
  hasDuplicateMembers,
} from './json.js';
