import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { DpopProofs, ProtectedRoutes, rawRequest, RequestHolder } from '../../auth/index.js';
import { ClientRegistry } from '../../clients/index.js';
import { nowSeconds } from '../../core/time/index.js';
import { useDpopProof, type TokenHolder, type TokenPolicy } from '../../core/verify/index.js';
import { requestContext, withholdHeaders } from '../../http/index.js';
import { isProofRefusal, ProofRefusedException } from './proof-refused.exception.js';

/**
 * Checks DPoP proofs of token requests (RFC 9449 section 5). The option `dpop` of `AuthModule` says whether proofs
 * count; with `required` no token is issued without one.
 */
@Injectable()
export class TokenEndpointProofs implements OnApplicationBootstrap {
  private static readonly logger = new Logger(TokenEndpointProofs.name);
  private policy: TokenPolicy | undefined;

  constructor(
    private readonly routes: ProtectedRoutes,
    @Optional() private readonly proofs?: DpopProofs,
    @Optional() private readonly clients?: ClientRegistry,
  ) {}

  /** Warns of clients that get no token because they need a proof, and proofs do not count. */
  onApplicationBootstrap(): void {
    if (this.routes.defaults().dpop !== false && this.proofs !== undefined) return;
    this.clients?.follow((clients) => {
      const names = clients.filter(({ needsProof }) => needsProof).map(({ id }) => id);
      if (names.length > 0)
        TokenEndpointProofs.logger.warn(
          `Clients that need a DPoP proof get no tokens, since the option dpop of AuthModule is off: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`,
        );
    });
  }

  /**
   * Checks the proof of a token request, which can be used once. Where proofs do not count, a header `DPoP` is ignored.
   *
   * @returns SHA-256 thumbprint of its key; `undefined` for a request without a proof
   * @throws ProofRefusedException 400 `invalid_dpop_proof` or `use_dpop_nonce`
   * @throws StateUnavailableException
   */
  async use(request: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
    const policy = (this.policy ??= this.routes.defaults());
    const { dpop, dpopAlgorithms: algorithms, dpopWindow, leeway } = policy;
    if (dpop === false || this.proofs === undefined) return undefined;
    if (request.headers.dpop === undefined && dpop !== 'required') return undefined;
    await this.proofs.offerNonce(response);
    const holder = new RequestHolder(rawRequest(request), undefined, this.routes);
    try {
      const { thumbprint } = await useDpopProof(
        holder.proofs(),
        {
          algorithms,
          method: holder.method,
          url: holder.url(),
          now: nowSeconds(),
          window: dpopWindow + leeway,
          issuer: undefined,
        },
        this.proofs,
      );
      requestContext(request).provenKey = thumbprint;
      // The proof is only for this endpoint, so backends do not get it.
      withholdHeaders(request, ['dpop']);
      return thumbprint;
    } catch (error) {
      throw isProofRefusal(error) ? new ProofRefusedException(error) : error;
    }
  }

  /** The holder of a token in a request body. Its proof was checked before, by {@link use}. */
  holder(request: IncomingMessage): TokenHolder {
    const { provenKey: key } = requestContext(request);
    return new RequestHolder(rawRequest(request), undefined, this.routes, { key });
  }
}
