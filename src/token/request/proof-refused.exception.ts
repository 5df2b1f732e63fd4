import { TokenRefusedError } from '../../core/errors/index.js';
import { GatewayException } from '../../http/index.js';

/** Refusals of a proof, not of a token: with another proof the request can succeed. */
const PROOF_CODES: ReadonlySet<string> = new Set([
  'dpop_proof_missing',
  'dpop_proof_invalid',
  'dpop_proof_mismatch',
  'dpop_proof_expired',
  'dpop_proof_reused',
  'dpop_nonce_needed',
  'dpop_key_mismatch',
]);

/** True for refusals that {@link ProofRefusedException} answers. */
export const isProofRefusal = (error: unknown): error is TokenRefusedError =>
  error instanceof TokenRefusedError && PROOF_CODES.has(error.code);

/** 400: a token request without the DPoP proof that it needs (RFC 9449 sections 5 and 8). */
export class ProofRefusedException extends GatewayException {
  constructor({ code, explanation }: TokenRefusedError) {
    const needsNonce = code === 'dpop_nonce_needed';
    super({
      status: 400,
      error: needsNonce ? 'use_dpop_nonce' : 'invalid_dpop_proof',
      code,
      description: needsNonce
        ? 'The DPoP proof needs the nonce of the DPoP-Nonce header.'
        : 'The DPoP proof is not accepted.',
      explanation,
    });
  }
}
