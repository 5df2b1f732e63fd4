import {
  ACCESS_CHECKS,
  answerPolicy,
  CLAIM_CHECKS,
  allowedAlgorithm,
  allowedType,
  assertAccessToken,
  assertHolder,
  assertProfile,
  asksForLogin,
  refusalOfRevocation,
  refusalOfLogin,
  refusalOfTimes,
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
} from '../verify/index.js';
import { toNumber } from '../json/index.js';
import { isCodedError, TokenRefusedError } from '../errors/index.js';
import { ACCESS_TOKEN_TYPE, normalizeType } from '../claims/index.js';
import { parseCompact, type CompactJws } from '../jws/index.js';
import { CheckList } from './check-list.js';
import { shown, type ExplainedCheck, type Explanation } from './explanation.js';
import { KeyExplainer, type ExplainedKeys } from './key-explainer.js';
import { misspelling } from './spelling.js';
import type { TokenNames } from '../revocation/index.js';
import { nowSeconds } from '../time/index.js';

type Claims = Readonly<Record<string, unknown>>;

/** The verifier of requests. The explanation has to agree with it. */
export interface ExplainedVerifier {
  verify(token: string, policy: TokenPolicy): Promise<unknown>;
}

/** Explains which checks a token passes, which it fails, and what to do about it. */
export class TokenExplainer {
  /**
   * @param revocations a text with the reason, or `undefined`, if the revocations are not known
   * @param introspector required by policies with an introspection endpoint
   */
  constructor(
    private readonly keys: ExplainedKeys,
    private readonly verifier: ExplainedVerifier,
    private readonly revocations: RevocationView | string | undefined,
    private readonly introspector?: Introspector,
  ) {}

  /** Explains a token. The verdict is that of the verifier; the checks are the functions that the verifier calls. */
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

/** All checks of one token, in the order of the verifier. After a failure, those that are still meaningful follow. */
class Run {
  private readonly now: number;
  private readonly list: CheckList;
  private readonly key: KeyExplainer;

  constructor(
    keys: ExplainedKeys,
    private readonly revocations: RevocationView | string | undefined,
    private readonly introspector: Introspector | undefined,
    private policy: TokenPolicy,
  ) {
    const shared = typeof revocations === 'object' ? (revocations.now ?? 0) : 0;
    const now = Math.max(nowSeconds(), Math.floor(shared));
    this.now = now;
    this.list = new CheckList({ header: { alg: '' }, claims: {}, policy, kids: '', now });
    this.key = new KeyExplainer(keys, policy.perIssuer, this.list);
  }

  get checks(): readonly ExplainedCheck[] {
    return this.list.checks;
  }

  async all(token: string): Promise<void> {
    const { introspection } = this.policy;
    if (introspection !== undefined && isOpaque(token, this.policy)) {
      this.list.add({
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
    this.list.learn({ header });
    const alg = `alg ${shown(header.alg)}`;
    await this.list.attempt({
      check: 'algorithm',
      found: alg,
      run: () => allowedAlgorithm(header, this.policy),
    });
    const key = await this.key.explain(jws, this.policy);
    await this.list.attempt({
      check: 'typ',
      found: `typ ${shown(header.typ ?? '(none)')}`,
      run: () => allowedType(header, this.policy),
    });
    const own = (await this.list.attempt({
      check: 'payload',
      run: () => parseClaims(jws.payload),
    })) as Claims | undefined;
    if (own === undefined) return;
    const claims = { ...own, ...(await this.askedAbout(token, own)) };
    const type = normalizeType(header.typ ?? 'JWT');
    if (type === ACCESS_TOKEN_TYPE && this.policy.profiled)
      await this.list.attempt({
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

  /** Checks a token that is no JWS by the answer of the introspection endpoint. */
  private async opaque(token: string, endpoint: IntrospectionOptions): Promise<void> {
    const answer = await this.ask(token, endpoint);
    if (answer === undefined) return;
    const chosen = (await this.list.attempt({
      check: 'issuer',
      run: () => answerPolicy(answer, this.policy),
    })) as ReturnType<typeof answerPolicy> | undefined;
    if (chosen === undefined) return;
    this.policy = chosen.policy;
    const { claims } = chosen;
    this.list.learn({ policy: this.policy });
    await this.list.attempt({ check: 'kind', run: () => assertAccessToken(claims) });
    const issuer = foreignIssuerOf(this.policy, claims.iss);
    await this.claims(token, { issuer, claims, signingInput: token });
  }

  /** Introspects a JWT if the policy has an endpoint for JWTs and no check has refused the token so far. */
  private async askedAbout(token: string, own: Claims): Promise<Claims | undefined> {
    const { jwtIntrospection } = this.policy;
    if (jwtIntrospection === undefined) return undefined;
    if (
      this.list.checks.some(({ verdict }) => verdict !== 'passed') ||
      refusalOfTimes(own, this.policy, this.now) !== undefined
    ) {
      this.list.skip('introspection', 'nobody is asked about a token that is refused before');
      return undefined;
    }
    const answer = await this.ask(token, jwtIntrospection);
    if (answer !== undefined)
      await this.list.attempt({
        check: 'kind',
        run: () => assertAccessToken({ ...own, ...answer }),
      });
    return answer;
  }

  private async ask(token: string, endpoint: IntrospectionOptions): Promise<Claims | undefined> {
    const { origin, pathname } = new URL(endpoint.url);
    return (await this.list.attempt({
      check: 'introspection',
      found: `asked ${origin}${pathname}`,
      run: () => introspected(token, endpoint, this.introspector),
    })) as Claims | undefined;
  }

  /** Checks the claims, which come from the token, from the introspection endpoint, or both. */
  private async claims(token: string, names: TokenNames): Promise<void> {
    const { claims } = names;
    this.list.learn({ claims });
    for (const [check, refusalOf] of CLAIM_CHECKS)
      await this.list.attempt({
        check,
        found: foundOf(claims, check),
        run: () => refusalOf(claims, this.policy, this.now),
      });
    await this.revoked(names);
    if (needsHolder(claims, this.policy, undefined))
      await this.list.attempt({
        check: 'binding',
        run: () => assertHolder(token, claims, this.policy, undefined, undefined),
      });
    const { checkClaimsClass } = this.policy;
    if (checkClaimsClass !== undefined)
      await this.list.attempt({ check: 'class of claims', run: () => checkClaimsClass(claims) });
    if (asksForLogin(this.policy))
      await this.list.attempt({
        check: 'login',
        run: () => refusalOfLogin(claims, this.policy, this.now),
      });
    for (const [check, refusalOf] of ACCESS_CHECKS)
      await this.list.attempt({ check, run: () => refusalOf(claims, this.policy) });
  }

  private format(token: string): CompactJws | undefined {
    try {
      const jws = parseToken(token, this.policy);
      this.list.add({ check: 'format', verdict: 'passed' });
      return jws;
    } catch (error) {
      if (!(error instanceof TokenRefusedError)) throw error;
      const { fix, meant } = misspelling(token, this.policy.introspection !== undefined);
      const { code, explanation: reason } = error;
      this.list.add({ check: 'format', verdict: 'refused', code, reason, fix });
      return meant === undefined ? undefined : parseOrNothing(meant);
    }
  }

  /** Chooses the policy by the issuer that the token names, if the policy accepts several. */
  private async chooseIssuer({ header, payload }: CompactJws): Promise<boolean> {
    const { perIssuer, unlistedIssuer } = this.policy;
    if (perIssuer === undefined && unlistedIssuer === undefined) return true;
    this.list.learn({ header });
    const chosen = await this.list.attempt({
      check: 'issuer',
      found: issuerOf(payload),
      run: () => issuerPolicy(parseClaims(payload), this.policy),
    });
    if (chosen === undefined) {
      this.list.skip('key', 'the token names no issuer whose keys are known');
      return false;
    }
    this.policy = chosen as TokenPolicy;
    this.list.learn({ policy: this.policy });
    return true;
  }

  private async revoked(names: TokenNames): Promise<void> {
    const { revocations = 'the revocations cannot be seen from here' } = this;
    if (typeof revocations === 'string') {
      this.list.skip('revocation', revocations);
      return;
    }
    await this.list.attempt({
      check: 'revocation',
      run: () => refusalOfRevocation(revocations, names),
    });
  }
}

/** Returns the `iss` for display; `undefined` if there is no valid one, which the check itself reports. */
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

/** Returns a time claim as a date for display; `undefined` for other claims. */
function foundOf(claims: Claims, check: string): string | undefined {
  if (!['exp', 'nbf', 'iat'].includes(check) || !Object.hasOwn(claims, check)) return undefined;
  const time = new Date((toNumber(claims[check]) ?? NaN) * 1000);
  return Number.isNaN(time.getTime()) ? undefined : `${check} ${time.toISOString()}`;
}
