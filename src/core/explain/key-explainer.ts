import { isCodedError } from '../errors/index.js';
import {
  isJwsAlgorithm,
  keyMisfit,
  type CompactJws,
  type JwsAlgorithm,
  type JwsKey,
} from '../jws/index.js';
import type { KeyInventory, KeySource } from '../keys/index.js';
import {
  assertFits,
  refusalOfSignature,
  type TokenPolicy,
  type VerificationKeys,
} from '../verify/index.js';
import type { AdviceContext } from './advice.js';
import type { CheckList } from './check-list.js';
import { shown } from './explanation.js';

/** The keys that verify tokens, with the contents of their sets. */
export interface ExplainedKeys extends VerificationKeys {
  /** Returns the contents of a key set. Default: that of `JwksModule`. */
  inventory(source?: KeySource): KeyInventory;
}

/** Explains which key a token names, and which key made its signature. */
export class KeyExplainer {
  /** @param perIssuer policies of all issuers, whose key sets are searched as well */
  constructor(
    private readonly keys: ExplainedKeys,
    private readonly perIssuer: TokenPolicy['perIssuer'],
    private readonly list: CheckList,
  ) {}

  /** @returns the key that the token names, if that key made the signature */
  async explain(jws: CompactJws, policy: TokenPolicy): Promise<JwsKey | undefined> {
    const { header } = jws;
    const { alg } = header;
    if (!isJwsAlgorithm(alg)) {
      this.list.skip('key', 'the algorithm is unknown');
      this.list.skip('signature', 'the algorithm is unknown');
      return undefined;
    }
    const { keySource, algorithms } = policy;
    let key: JwsKey | undefined;
    try {
      const known = this.keys.verificationKeys(header, keySource);
      const candidates =
        known.length > 0 ? known : await this.keys.awaitVerificationKeys(header, keySource);
      key = await signerOf(jws, alg, candidates);
    } catch (error) {
      if (!isCodedError(error)) throw error;
      const { source, problem } = this.keys.inventory(keySource);
      this.list.add({
        check: 'key',
        verdict: 'not checked',
        reason: error.explanation ?? error.message,
        fix: `the keys are fetched again all the time; see that ${source} can be reached from here`,
        notes: problem === undefined ? [] : [problem],
      });
      this.list.skip('signature', 'there are no keys');
      return undefined;
    }
    const inventory = this.keys.inventory(keySource);
    const { source, skipped } = inventory;
    const announced =
      inventory.algorithms?.includes(alg) === false ? inventory.algorithms : undefined;
    this.list.learn({
      kids: `${kidsOf(inventory)} (${source})`,
      actual: await this.whoSigned(jws, key, keySource),
      skipped: skipped.find(({ kid }) => kid !== '' && kid === header.kid)?.reason,
      announced: algorithms.has(alg) ? announced : undefined,
    });
    const fits = await this.list.attempt({
      check: 'key',
      found: `kid ${shown(header.kid ?? '(none)')}`,
      notes: notesOn(inventory),
      run: () => {
        assertFits(key, header, alg);
        return true;
      },
    });
    if (key === undefined || fits === undefined) {
      this.list.skip('signature', 'there is no key to check it with');
      return undefined;
    }
    const named = key;
    const signed = await this.list.attempt({
      check: 'signature',
      run: async () => (await refusalOfSignature(jws, alg, named)) ?? true,
    });
    return signed === undefined ? undefined : key;
  }

  /** Finds the key that made the signature: another one of the set, or one of another issuer with the same kid. */
  private async whoSigned(
    jws: CompactJws,
    named: JwsKey | undefined,
    source: KeySource | undefined,
  ): Promise<AdviceContext['actual']> {
    const { alg, kid } = jws.header;
    if (!isJwsAlgorithm(alg)) return undefined;
    const signed = async (key: JwsKey): Promise<boolean> =>
      key !== named && keyMisfit(key, alg) === undefined && isSignedBy(jws, alg, key);
    for (const key of this.keys.inventory(source).keys)
      if (await signed(key)) return { kid: key.kid };
    for (const [issuer, { keySource }] of this.perIssuer ?? [])
      for (const key of this.keys.inventory(keySource).keys)
        if (key.kid === kid && (await signed(key))) return { kid, issuer };
    return undefined;
  }
}

/** Returns the key that made the signature, of several with the same name; if none did, the first one. */
async function signerOf(
  jws: CompactJws,
  alg: JwsAlgorithm,
  candidates: readonly JwsKey[],
): Promise<JwsKey | undefined> {
  if (candidates.length > 1)
    for (const key of candidates) if (await isSignedBy(jws, alg, key)) return key;
  return candidates[0];
}

const isSignedBy = async (jws: CompactJws, alg: JwsAlgorithm, key: JwsKey): Promise<boolean> =>
  (await refusalOfSignature(jws, alg, key)) === undefined;

const LONGEST_LIST = 10;

const cut = (list: readonly string[]): readonly string[] => [
  ...list.slice(0, LONGEST_LIST),
  ...(list.length > LONGEST_LIST ? [`… ${list.length} in all`] : []),
];

const kidsOf = ({ keys }: KeyInventory): string =>
  keys.length === 0 ? 'none' : cut(keys.map(({ kid }) => kid)).join(', ');

function notesOn(inventory: KeyInventory): readonly string[] {
  const { source, skipped, algorithms, problem } = inventory;
  return [
    `keys of ${source}: ${kidsOf(inventory)}`,
    ...cut(skipped.map(({ reason }) => `not used: ${reason}`)),
    ...(algorithms === undefined ? [] : [`announced algorithms: ${algorithms.join(', ')}`]),
    ...(problem === undefined ? [] : [problem]),
  ];
}
