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

/** Seconds. */
const DEFAULT_TTL = 30;
/** Kinds of calls of one route; beyond that they are made anew. */
const MAX_KINDS = 1000;
/** Stands for the policy of a call that is made for nobody. */
const NOBODY = {};

/** Asks for the tokens of backend calls, always by the same object for the same kind of call. */
export class HopRequests {
  private readonly options: HopOptions;
  private readonly always: boolean;
  private readonly kinds = new WeakMap<object, Map<string, HopTokenRequest>>();

  /**
   * @param hop the option of `BackendModule`
   * @param origin of the backend
   * @throws BootError for options that are wrong
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

  /** @throws BootError where calls have to carry a token that nobody makes */
  assertUsable(): void {
    if (this.always) this.tokens.require();
  }

  /** The token of a call; `undefined` for one that carries none. */
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
    const owner = policy ?? NOBODY;
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
