import type { TokenPolicy } from '../verify/index.js';
import { toNumber } from '../json/index.js';
import type { TokenRefusedError } from '../errors/index.js';
import type { JwsHeader } from '../jws/index.js';

/** The facts about the token that are known when a check fails. */
export interface AdviceContext {
  readonly header: JwsHeader;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly policy: TokenPolicy;
  /** Kids of the validator's key set, for messages. */
  readonly kids: string;
  /** The key that made the signature, if the token does not name it, or names it as a key of another issuer. */
  readonly actual?: { readonly kid: string; /** Default: the token's. */ readonly issuer?: string };
  /** Why the key that the token names is skipped. */
  readonly skipped?: string;
  /** Algorithms that the issuer announces, if that of the token is not among them. */
  readonly announced?: readonly string[];
  /** Seconds since 1970. */
  readonly now: number;
}

/** Largest likely difference of two clocks, in seconds. */
const CLOCK_SKEW = 600;

/** Returns what to do about a refusal. */
export function adviceFor({ code, data }: TokenRefusedError, context: AdviceContext): string {
  const { header, claims, policy, kids, actual, skipped, announced, now } = context;
  switch (code) {
    case 'token_malformed':
      return 'the issuer makes tokens that are no JWTs (RFC 7519); it has to be corrected there';
    case 'algorithm_not_allowed':
      if (header.alg.toLowerCase() === 'none')
        return 'the token is not signed; unsigned tokens are never accepted';
      return 'sign with an accepted algorithm and a key that is for it, or change the option algorithms of AuthModule';
    case 'key_not_found':
      if (skipped !== undefined)
        return `the issuer publishes the key that the token names, and it cannot be used: ${skipped}. Let the issuer sign with another key, or correct this one`;
      if (announced !== undefined)
        return `the issuer announces ${announced.join(', ')} in its metadata, so a token with ${header.alg} is not taken for one of its own`;
      if (actual?.issuer !== undefined) return otherIssuer(actual.kid, actual.issuer);
      return actual === undefined
        ? `the token was signed by a key that the validator does not have; it has: ${kids}. Does it come from another issuer or environment, or was the key retired?`
        : `the key '${actual.kid}' made the signature, but the token does not name it: the issuer has to put that kid into the header`;
    case 'signature_invalid':
      if (actual?.issuer !== undefined) return otherIssuer(actual.kid, actual.issuer);
      return actual === undefined
        ? 'the token was changed, or signed with another key that has the same kid: signer and validator must use the same key (compare signet keys thumbprint on both sides)'
        : `the key '${actual.kid}' made the signature, but the token names another kid`;
    case 'type_not_allowed':
      if (data.claim !== undefined)
        return 'send the access token; where the issuer gives out ID tokens for APIs, set the option idTokens of AuthModule';
      return header.typ?.toLowerCase().includes('rt+jwt') === true
        ? 'this is a refresh token; send the access token. A refresh token goes to POST /token with grant_type=refresh_token'
        : 'send an access token, or add the type to the option types of AuthModule';
    case 'token_expired': {
      const ago = now - (toNumber(claims.exp) ?? 0);
      return ago <= CLOCK_SKEW
        ? `get a new token. If this one was just made, compare the clocks of issuer and validator (the option leeway of AuthModule forgives ${policy.leeway} s)`
        : 'get a new token';
    }
    case 'token_not_yet_valid':
      return `wait, or compare the clocks of issuer and validator (the option leeway of AuthModule forgives ${policy.leeway} s)`;
    case 'issuer_mismatch':
      return 'the token comes from another issuer, or the option issuer of AuthModule has to name its iss, character by character';
    case 'audience_mismatch':
      return Object.hasOwn(claims, policy.audienceClaim)
        ? `ask the issuer for a token for this service, or add its ${policy.audienceClaim} to the option audience of AuthModule`
        : `ask the issuer for a token for this service; where it names recipients in another claim than ${policy.audienceClaim}, set the option audienceClaim of AuthModule`;
    case 'claim_missing':
      return 'let the issuer put the claim into its tokens';
    case 'claim_invalid':
      if (data.claim === 'cnf')
        return 'use the token on a connection with the certificate that it is bound to; behind a proxy the option mtlsHeader of AuthModule names the header with it. Bindings other than jkt and x5t#S256 are not supported';
      return 'let the issuer send the claim as it is expected; times are numbers of seconds';
    case 'token_revoked':
      if (data.claim === 'active')
        return 'get a new token from that issuer; the client that asks has to be one that may ask about it';
      return 'log in again; an administrator can see and undo it under /admin/revocations';
    case 'dpop_proof_missing':
      return 'send it as "Authorization: DPoP <token>", and with each request a new proof in the header DPoP, signed by the key (cnf.jkt) with which the client asked for the token';
    case 'dpop_token_unbound':
      return 'let the client ask the issuer for a token with a DPoP proof, or set the option dpop of AuthModule to true';
    case 'dpop_disabled':
      return 'set the option dpop of AuthModule to true, or ask the issuer for a token without a DPoP proof';
    case 'insufficient_user_authentication':
      return data.claim === 'acr'
        ? 'let the user log in once more, in a way that the issuer names by one of these values (acr_values)'
        : 'let the user log in once more (max_age); the issuer has to put auth_time into its access tokens';
    case 'roles_missing':
    case 'scopes_missing':
      return 'this user may not do it, or the claim has another name: the option rolesKey of AuthModule, the option scopesKey of AuthModule';
    default:
      return 'see the reason';
  }
}

const otherIssuer = (kid: string, issuer: string): string =>
  `the key '${kid}' of ${issuer} made the signature, and the token names another issuer in iss; a key of one issuer verifies no token of another`;
