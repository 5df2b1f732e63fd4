import { BootError } from '../../core/errors/index.js';
import {
  hopOptionsProblem,
  type BearerToken,
  type HopOptions,
  type TokenPolicy,
} from '../../core/verify/index.js';
import {
  requestContext,
  type HopTokens,
  type HopTokenRequest,
  type HopUser,
} from '../../http/index.js';
import type { CallTarget } from '../backend-call.js';

/** Default lifetime of a token, in seconds. */
const DEFAULT_TTL = 30;
/** Maximum number of token requests that are cached per policy. Beyond it, they are created anew. */
const MAX_KINDS = 1000;
/** Takes the place of the policy in calls without a user. */
const WITHOUT_USER = {};

/** Requests the tokens of backend calls. Equal calls use the same request object, by which tokens are cached. */
export class HopRequests {
  private readonly options: HopOptions;
  private readonly always: boolean;
  private readonly kinds = new WeakMap<object, Map<string, HopTokenRequest>>();

  /**
   * @param hop the option of `BackendModule`
   * @param origin origin of the backend, the default audience
   * @throws BootError for invalid options
   */
  constructor(
    hop: boolean | HopOptions,
    private readonly origin: string,
    private readonly tokens: HopTokens,
  ) {
    this.options = typeof hop === 'object' ? hop : {};
    this.always = hop !== false;
    const problem = hopOptionsProblem(this.options);
    if (problem !== undefined) throw new BootError(`BackendModule: ${problem}`);
  }

  /** @throws BootError if calls have to carry a token that cannot be made */
  assertUsable(): void {
    if (this.always) this.tokens.require();
  }

  /** Returns the token of a call; `undefined` for a call that carries none. */
  tokenFor({ hop, from }: CallTarget): string | Promise<string> | undefined {
    const context = from === undefined ? undefined : requestContext(from);
    const verified = context?.verified;
    const ofRoute = verified?.policy.hop;
    if (hop === false || (hop === undefined && ofRoute === undefined && !this.always))
      return undefined;
    const policy = verified?.claims === undefined ? undefined : verified.policy;
    const request = this.requestFor(policy, ofRoute, hop === true ? undefined : hop);
    const user =
      verified?.claims === undefined
        ? undefined
        : userOf(context?.presented, verified.policy, verified.claims);
    return this.tokens.require().make(request, user);
  }

  private requestFor(
    policy: TokenPolicy | undefined,
    ofRoute: HopOptions | undefined,
    ofCall: HopOptions | undefined,
  ): HopTokenRequest {
    const owner = policy ?? WITHOUT_USER;
    let kinds = this.kinds.get(owner);
    if (kinds === undefined) this.kinds.set(owner, (kinds = new Map()));
    const kind = ofCall === undefined ? '' : JSON.stringify(ofCall);
    let request = kinds.get(kind);
    if (request === undefined) {
      const options = { ...this.options, ...ofRoute, ...ofCall };
      const problem = hopOptionsProblem(options);
      if (problem !== undefined) throw new TypeError(problem);
      const { audience = this.origin, claims = [], scopes = policy?.scopes ?? [] } = options;
      request = { audience, claims, scopes, ttl: options.ttl ?? DEFAULT_TTL };
      if (kinds.size >= MAX_KINDS) kinds.clear();
      kinds.set(kind, request);
    }
    return request;
  }
}

function userOf(
  presented: BearerToken | undefined,
  { scopesKey }: TokenPolicy,
  claims: HopUser['claims'],
): HopUser {
  return { token: presented?.token ?? JSON.stringify(claims), claims, scopesKey };
}
