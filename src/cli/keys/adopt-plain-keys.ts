import { CommandError } from '../command.error.js';
import { inState, type RotatingKey } from './rotation.js';

/**
 * Gives states to keys that have none: one signs, the others verify until their last token has expired.
 *
 * @param named kid of the key that signs; default: the only one able to
 * @throws CommandError when it is not clear which one signs
 */
export function adoptPlainKeys(
  keys: readonly RotatingKey[],
  named: string | undefined,
  notAfter: number,
): readonly RotatingKey[] {
  const active = inState(keys, 'active').filter(({ canSign }) => canSign);
  if (active.length > 1)
    throw new CommandError(
      `${list(active)} are all active, only one may be; retire the others: signet keys retire <kid>`,
    );
  const plain = keys.filter(({ state }) => state === undefined);
  const able = plain.filter(({ canSign }) => canSign);
  const chosen =
    active[0] ?? able.find(({ kid }) => kid === named) ?? (able.length === 1 ? able[0] : undefined);
  if (chosen === undefined && able.length > 1)
    throw new CommandError(`${list(able)} can all sign; name the one that does with --kid`);
  return keys.map((key) => {
    if (key.state !== undefined) return key;
    if (key === chosen) return { ...key, state: 'active' };
    // Public keys belong to somebody else, whose tokens go on.
    return { ...key, state: 'verifying', notAfter: key.canSign ? notAfter : undefined };
  });
}

const list = (keys: readonly RotatingKey[]): string => keys.map(({ kid }) => `'${kid}'`).join(', ');
