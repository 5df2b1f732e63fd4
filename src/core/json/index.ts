export {
  toNumber,
  isDeeperThan,
  exactly,
  parseJsonExactly,
  isJsonObject,
  hasDuplicateMembers,
} from './json.js';
