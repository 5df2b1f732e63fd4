import { isUtf8 } from 'node:buffer';
import { Injectable, Optional } from '@nestjs/common';
import { isJsonObject, parseJsonExactly, toNumber } from '../common/json.js';
import { TokenRefused } from '../common/token-refused.js';
import { ACCESS_TOKEN_TYPE, missingProfileClaims, normalizeType } from '../common/token-type.js';
import { JwkKeyStore } from '../jwks/index.js';
import {
  isJwsAlgorithm,
  keyMisfit,
  parseCompact,
  verifySignature,
  type JwsAlgorithm,
  type JwsHeader,
  type JwsKey,
} from '../jws/index.js';
import { Revocations, type TokenNames } from '../state/index.js';
import { checkAccess, checkClaims } from './claim-checks.js';
import type { Requirement } from './requirement.js';
import type { VerifiedClaims } from './verified-claims.js';

/** Verifies tokens (RFC 7519 section 7.2, RFC 8725): format, algorithm, key, signature, type, claims, revocation, roles and scopes, in this order. */
@Injectable()
export class JwtVerifier {
  constructor(
    private readonly keys: JwkKeyStore,
    @Optional() private readonly revocations?: Revocations,
  ) {}

  /**
   * @param token compact JWS
   * @returns the claims of a token that fulfils `requirement`
   * @throws TokenRefused with the code of the first check that fails
   * @throws KeysUnavailable while there are no keys to check with
   * @throws StateUnavailable when revocations cannot be known
   */
  async verify<Claims extends object = object>(
    token: string,
    requirement: Requirement,
  ): Promise<VerifiedClaims<Claims>> {
    const { header, payload, signature, signingInput } = parseCompact(token);
    const alg = allowedAlgorithm(header, requirement);
    const key =
      this.keys.verificationKey(header, requirement.keySource) ??
      (await this.keys.awaitVerificationKey(header, requirement.keySource));
    assertFits(key, header, alg);
    const verdict = verifySignature(alg, key, signingInput, signature);
    if (!(typeof verdict === 'boolean' ? verdict : await verdict))
      throw new TokenRefused('signature_invalid', `the signature does not fit kid '${key.kid}'`);

    const type = normalizeType(header.typ ?? 'JWT');
    if (!requirement.types.has(type))
      throw new TokenRefused(
        'type_not_allowed',
        `typ '${header.typ ?? 'JWT'}' is not one of: ${[...requirement.types].join(', ')}`,
      );
    const claims = parseClaims(payload);
    if (type === ACCESS_TOKEN_TYPE) assertProfile(claims);
    checkClaims(claims, requirement, Math.floor(Date.now() / 1000));
    this.assertNotRevoked({ kid: key.kid, claims, signingInput });
    if (requirement.checkClaimsClass !== undefined) await requirement.checkClaimsClass(claims);
    // Last: a token that is not accepted is a 401, whatever it would allow.
    checkAccess(claims, requirement);
    return claims as VerifiedClaims<Claims>;
  }

  private assertNotRevoked(token: TokenNames): void {
    if (this.revocations === undefined) return;
    this.revocations.noteExpiry(toNumber(token.claims.exp) ?? 0);
    if (this.revocations.isRevoked(token))
      throw new TokenRefused('token_revoked', 'the token, its session, user or key is revoked');
  }
}

/** RFC 9068 section 4: a token that claims the profile has to keep it. */
function assertProfile(claims: Readonly<Record<string, unknown>>): void {
  const missing = missingProfileClaims(claims);
  if (missing.length > 0)
    throw new TokenRefused(
      'claim_missing',
      `a token of typ ${ACCESS_TOKEN_TYPE} needs: ${missing.join(', ')}`,
    );
}

function assertFits(
  key: JwsKey | undefined,
  header: JwsHeader,
  alg: JwsAlgorithm,
): asserts key is JwsKey {
  if (key === undefined)
    throw new TokenRefused(
      'key_not_found',
      header.kid === undefined ? 'the header has no kid' : 'no key with the kid of the header',
    );
  const misfit = keyMisfit(key, alg);
  if (misfit !== undefined) throw new TokenRefused('algorithm_not_allowed', misfit);
}

function allowedAlgorithm({ alg }: JwsHeader, { algorithms }: Requirement): JwsAlgorithm {
  if (!isJwsAlgorithm(alg) || !algorithms.has(alg))
    throw new TokenRefused(
      'algorithm_not_allowed',
      `the algorithm of the header is not one of: ${[...algorithms].join(', ')}`,
    );
  return alg;
}

function parseClaims(payload: Buffer): Record<string, unknown> {
  let claims: unknown;
  try {
    claims = isUtf8(payload) ? parseJsonExactly(payload.toString()) : undefined;
  } catch {
    claims = undefined;
  }
  if (!isJsonObject(claims))
    throw new TokenRefused('token_malformed', 'the payload is not a JSON object in UTF-8');
  return claims;
}
