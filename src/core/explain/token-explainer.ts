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

  /** A token that is no JWS: all that is known of it is what the endpoint says. */
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

  /** What an endpoint says of a JWT, where the policy asks about them; nobody is asked about a bad one. */
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

  /** The checks of the claims that a token has, or that it was given by its issuer. */
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

  /** Where there are several issuers, the one that the token names decides what holds for it. */
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
