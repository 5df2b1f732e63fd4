import {
  ACCESS_CHECKS,
  answerPolicy,
  CLAIM_CHECKS,
  allowedAlgorithm,
  allowedType,
  assertAccessToken,
  assertFits,
  assertHolder,
  assertNotRevoked,
  assertProfile,
  assertSigned,
  asksForLogin,
  checkLogin,
  checkTimes,
  foreignIssuerOf,
  introspected,
  isOpaque,
  issuerPolicy,
  needsHolder,
  parseClaims,
  parseToken,
  type IntrospectionOptions,
  type Introspector,
  type RevocationView,
  type TokenPolicy,
  type VerificationKeys,
} from '../verify/index.js';
import type { KeyInventory, KeySource } from '../keys/index.js';
import { toNumber } from '../json/index.js';
import { isCodedError, TokenRefusedError } from '../errors/index.js';
import { ACCESS_TOKEN_TYPE, normalizeType } from '../claims/index.js';
import {
  isJwsAlgorithm,
  keyMisfit,
  parseCompact,
  type CompactJws,
  type JwsAlgorithm,
  type JwsKey,
} from '../jws/index.js';
import { adviceFor, type AdviceContext } from './advice.js';
import type { ExplainedCheck, Explanation } from './explanation.js';
import { misspelling } from './spelling.js';
import type { TokenNames } from '../revocation/index.js';
import { nowSeconds } from '../time/index.js';

type Claims = Readonly<Record<string, unknown>>;

/** What a check is about, for {@link Run.attempt}. */
interface Attempt {
  readonly check: string;
  readonly found?: string;
  readonly notes?: readonly string[];
  readonly run: () => unknown;
}

/** The keys that a token is checked with, and what can be told of them. */
export interface ExplainedKeys extends VerificationKeys {
  /** What is known of a set. */
  inventory(source?: KeySource): KeyInventory;
}

/** Whoever decides in the end. */
export interface ExplainedVerifier {
  verify(token: string, policy: TokenPolicy): Promise<unknown>;
}

/** Says of a token which checks it passes and which not, and what to do. */
export class TokenExplainer {
  /**
   * @param revocations a text, or `undefined`, where they cannot be known: why
   * @param introspector for policies that ask about tokens
   */
  constructor(
    private readonly keys: ExplainedKeys,
    private readonly verifier: ExplainedVerifier,
    private readonly revocations: RevocationView | string | undefined,
    private readonly introspector?: Introspector,
  ) {}

  /** The verdict is the verifier's own; the checks are the functions it is made of. */
  async explain(token: string, policy: TokenPolicy): Promise<Explanation> {
    const run = new Run(this.keys, this.revocations, this.introspector, policy);
    await run.all(token);
    try {
      await this.verifier.verify(token, policy);
      return { accepted: true, checks: run.checks };
    } catch (error) {
      return { accepted: false, code: codeOf(error), checks: run.checks };
    }
  }
}

/** All checks of one token, in the verifier's order; each that still makes sense after one failed. */
class Run {
  readonly checks: ExplainedCheck[] = [];
  private readonly now: number;
  private readonly perIssuer: TokenPolicy['perIssuer'];
  private context: AdviceContext;

  constructor(
    private readonly keys: ExplainedKeys,
    private readonly revocations: RevocationView | string | undefined,
    private readonly introspector: Introspector | undefined,
    private policy: TokenPolicy,
  ) {
    this.perIssuer = policy.perIssuer;
    const shared = typeof revocations === 'object' ? (revocations.now ?? 0) : 0;
    this.now = Math.max(nowSeconds(), Math.floor(shared));
    this.context = { header: { alg: '' }, claims: {}, policy, kids: '', now: this.now };
  }

  async all(token: string): Promise<void> {
    const { introspection } = this.policy;
    if (introspection !== undefined && isOpaque(token, this.policy)) {
      this.checks.push({
        check: 'format',
        verdict: 'passed',
        found: 'no JWS, so it is asked about',
      });
      return this.opaque(token, introspection);
    }
    const jws = this.format(token);
    if (jws === undefined) return;
    if (!(await this.chooseIssuer(jws))) return;
    const { header } = jws;
    this.context = { ...this.context, header };
    const alg = `alg ${shown(header.alg)}`;
    await this.attempt({
      check: 'algorithm',
      found: alg,
      run: () => allowedAlgorithm(header, this.policy),
    });
    const key = await this.key(jws);
    await this.attempt({
      check: 'typ',
      found: `typ ${shown(header.typ ?? '(none)')}`,
      run: () => allowedType(header, this.policy),
    });
    const own = (await this.attempt({
      check: 'payload',
      run: () => parseClaims(jws.payload),
    })) as Claims | undefined;
    if (own === undefined) return;
    const claims = { ...own, ...(await this.askedAbout(token, own)) };
    const type = normalizeType(header.typ ?? 'JWT');
    if (type === ACCESS_TOKEN_TYPE && this.policy.profiled)
      await this.attempt({
        check: 'RFC 9068',
        run: () => assertProfile(type, claims, this.policy),
      });
    await this.claims(token, {
      issuer: foreignIssuerOf(this.policy, claims.iss),
      kid: key?.kid,
      claims,
      signingInput: jws.signingInput,
    });
  }

  /** A token that is no JWS: all that is known of it is what the endpoint says. */
  private async opaque(token: string, endpoint: IntrospectionOptions): Promise<void> {
    const answer = await this.ask(token, endpoint);
    if (answer === undefined) return;
    const chosen = (await this.attempt({
      check: 'issuer',
      run: () => answerPolicy(answer, this.policy),
    })) as ReturnType<typeof answerPolicy> | undefined;
    if (chosen === undefined) return;
    this.policy = chosen.policy;
    const { claims } = chosen;
    this.context = { ...this.context, policy: this.policy };
    await this.attempt({ check: 'kind', run: () => assertAccessToken(claims) });
    const issuer = foreignIssuerOf(this.policy, claims.iss);
    await this.claims(token, { issuer, claims, signingInput: token });
  }

  /** What an endpoint says of a JWT, where the policy asks about them; nobody is asked about a bad one. */
  private async askedAbout(token: string, own: Claims): Promise<Claims | undefined> {
    const { jwtIntrospection } = this.policy;
    if (jwtIntrospection === undefined) return undefined;
    if (this.checks.some(({ verdict }) => verdict !== 'passed') || !this.isInTime(own)) {
      this.skip('introspection', 'nobody is asked about a token that is refused before');
      return undefined;
    }
    const answer = await this.ask(token, jwtIntrospection);
    if (answer !== undefined)
      await this.attempt({ check: 'kind', run: () => assertAccessToken({ ...own, ...answer }) });
    return answer;
  }

  private isInTime(claims: Claims): boolean {
    try {
      checkTimes(claims, this.policy, this.now);
      return true;
    } catch (error) {
      if (error instanceof TokenRefusedError) return false;
      throw error;
    }
  }

  private async ask(token: string, endpoint: IntrospectionOptions): Promise<Claims | undefined> {
    const { origin, pathname } = new URL(endpoint.url);
    return (await this.attempt({
      check: 'introspection',
      found: `asked ${origin}${pathname}`,
      run: () => introspected(token, endpoint, this.introspector),
    })) as Claims | undefined;
  }

  /** The checks of the claims that a token has, or that it was given by its issuer. */
  private async claims(token: string, names: TokenNames): Promise<void> {
    const { claims } = names;
    this.context = { ...this.context, claims };
    for (const [check, assert] of CLAIM_CHECKS)
      await this.attempt({
        check,
        found: foundOf(claims, check),
        run: () => assert(claims, this.policy, this.now),
      });
    await this.revoked(names);
    if (needsHolder(claims, this.policy, undefined))
      await this.attempt({
        check: 'binding',
        run: () => assertHolder(token, claims, this.policy, undefined, undefined),
      });
    const { checkClaimsClass } = this.policy;
    if (checkClaimsClass !== undefined)
      await this.attempt({ check: 'class of claims', run: () => checkClaimsClass(claims) });
    if (asksForLogin(this.policy))
      await this.attempt({
        check: 'login',
        run: () => checkLogin(claims, this.policy, this.now),
      });
    for (const [check, assert] of ACCESS_CHECKS)
      await this.attempt({ check, run: () => assert(claims, this.policy) });
  }

  private format(token: string): CompactJws | undefined {
    try {
      const jws = parseToken(token, this.policy);
      this.checks.push({ check: 'format', verdict: 'passed' });
      return jws;
    } catch (error) {
      if (!(error instanceof TokenRefusedError)) throw error;
      const { fix, meant } = misspelling(token, this.policy.introspection !== undefined);
      const { code, explanation: reason } = error;
      this.checks.push({ check: 'format', verdict: 'refused', code, reason, fix });
      return meant === undefined ? undefined : parseOrNothing(meant);
    }
  }

  /** Where there are several issuers, the one that the token names decides what holds for it. */
  private async chooseIssuer({ header, payload }: CompactJws): Promise<boolean> {
    const { perIssuer, unlistedIssuer } = this.policy;
    if (perIssuer === undefined && unlistedIssuer === undefined) return true;
    this.context = { ...this.context, header };
    const chosen = await this.attempt({
      check: 'issuer',
      found: issuerOf(payload),
      run: () => issuerPolicy(parseClaims(payload), this.policy),
    });
    if (chosen === undefined) {
      this.skip('key', 'the token names no issuer whose keys are known');
      return false;
    }
    this.policy = chosen as TokenPolicy;
    this.context = { ...this.context, policy: this.policy };
    return true;
  }

  private async key(jws: CompactJws): Promise<JwsKey | undefined> {
    const { header } = jws;
    const { alg } = header;
    if (!isJwsAlgorithm(alg)) {
      this.skip('key', 'the algorithm is unknown');
      this.skip('signature', 'the algorithm is unknown');
      return undefined;
    }
    const { keySource, algorithms } = this.policy;
    let key: JwsKey | undefined;
    try {
      const known = this.keys.verificationKeys(header, keySource);
      const candidates =
        known.length > 0 ? known : await this.keys.awaitVerificationKeys(header, keySource);
      key = await signerOf(jws, alg, candidates);
    } catch (error) {
      if (!isCodedError(error)) throw error;
      const { source, problem } = this.keys.inventory(keySource);
      this.checks.push({
        check: 'key',
        verdict: 'not checked',
        reason: error.explanation ?? error.message,
        fix: `the keys are fetched again all the time; see that ${source} can be reached from here`,
        notes: problem === undefined ? [] : [problem],
      });
      this.skip('signature', 'there are no keys');
      return undefined;
    }
    const inventory = this.keys.inventory(keySource);
    const { source, skipped } = inventory;
    const announced =
      inventory.algorithms?.includes(alg) === false ? inventory.algorithms : undefined;
    this.context = {
      ...this.context,
      kids: `${kidsOf(inventory)} (${source})`,
      actual: await this.whoSigned(jws, key),
      skipped: skipped.find(({ kid }) => kid !== '' && kid === header.kid)?.reason,
      announced: algorithms.has(alg) ? announced : undefined,
    };
    const fits = await this.attempt({
      check: 'key',
      found: `kid ${shown(header.kid ?? '(none)')}`,
      notes: notesOn(inventory),
      run: () => {
        assertFits(key, header, alg);
        return true;
      },
    });
    if (key === undefined || fits === undefined) {
      this.skip('signature', 'there is no key to check it with');
      return undefined;
    }
    const named = key;
    const signed = await this.attempt({
      check: 'signature',
      run: async () => {
        await assertSigned(jws, alg, named);
        return true;
      },
    });
    return signed === undefined ? undefined : key;
  }

  /** A key of the set other than the named one that the signature belongs to, or the named one of another issuer. */
  private async whoSigned(
    jws: CompactJws,
    named: JwsKey | undefined,
  ): Promise<AdviceContext['actual']> {
    const { alg, kid } = jws.header;
    if (!isJwsAlgorithm(alg)) return undefined;
    const signed = async (key: JwsKey): Promise<boolean> =>
      key !== named && keyMisfit(key, alg) === undefined && isSignedBy(jws, alg, key);
    for (const key of this.keys.inventory(this.policy.keySource).keys)
      if (await signed(key)) return { kid: key.kid };
    for (const [issuer, { keySource }] of this.perIssuer ?? [])
      for (const key of this.keys.inventory(keySource).keys)
        if (key.kid === kid && (await signed(key))) return { kid, issuer };
    return undefined;
  }

  private async revoked(names: TokenNames): Promise<void> {
    const { revocations = 'the revocations cannot be seen from here' } = this;
    if (typeof revocations === 'string') {
      this.skip('revocation', revocations);
      return;
    }
    await this.attempt({ check: 'revocation', run: () => assertNotRevoked(revocations, names) });
  }

  private async attempt({ run, ...what }: Attempt): Promise<unknown> {
    const { check } = what;
    try {
      const result = await run();
      this.checks.push({ verdict: 'passed', ...what });
      return result;
    } catch (error) {
      if (!isCodedError(error)) throw error;
      if (!(error instanceof TokenRefusedError)) {
        this.skip(check, error.explanation ?? error.message);
        return undefined;
      }
      const { code, explanation: reason } = error;
      const fix = adviceFor(error, this.context);
      this.checks.push({ verdict: 'refused', ...what, code, reason, fix });
      return undefined;
    }
  }

  private skip(check: string, reason: string): void {
    this.checks.push({ check, verdict: 'not checked', reason });
  }
}

/** The one of several keys with the same name that made the signature; failing that, the first. */
async function signerOf(
  jws: CompactJws,
  alg: JwsAlgorithm,
  candidates: readonly JwsKey[],
): Promise<JwsKey | undefined> {
  if (candidates.length > 1)
    for (const key of candidates) if (await isSignedBy(jws, alg, key)) return key;
  return candidates[0];
}

async function isSignedBy(jws: CompactJws, alg: JwsAlgorithm, key: JwsKey): Promise<boolean> {
  try {
    await assertSigned(jws, alg, key);
    return true;
  } catch (error) {
    if (error instanceof TokenRefusedError) return false;
    throw error;
  }
}

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

/** As text, since what is no issuer at all is told by the check. */
function issuerOf(payload: Buffer): string | undefined {
  try {
    const { iss } = parseClaims(payload);
    return typeof iss === 'string' ? `iss ${shown(iss)}` : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  if (isCodedError(error)) return error.code;
  throw error;
}

function parseOrNothing(token: string): CompactJws | undefined {
  try {
    return parseCompact(token);
  } catch {
    return undefined;
  }
}

/** Times are told in words as well. */
function foundOf(claims: Claims, check: string): string | undefined {
  if (!['exp', 'nbf', 'iat'].includes(check) || !Object.hasOwn(claims, check)) return undefined;
  const time = new Date((toNumber(claims[check]) ?? NaN) * 1000);
  return Number.isNaN(time.getTime()) ? undefined : `${check} ${time.toISOString()}`;
}

/** The header is the token's own, so it is shown in part. */
const shown = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
