import { Injectable } from '@nestjs/common';
import { JwkKeyStore } from '../jwks/index.js';
import { signInput, type JwsAlgorithm, type JwsKey } from '../core/jws/index.js';
import type { ClaimSet } from '../core/sign/sign-fields.js';
import { SigningEvents } from './signing-events.service.js';

/** How a token is made. */
export interface TokenFormat {
  alg: JwsAlgorithm;
  kid: string;
  /** `typ` header. */
  typ: string;
  /** Flattened JWS JSON as a string instead of the compact form. */
  full: boolean;
}

/** Makes signed tokens with the keys of {@link JwkKeyStore} (RFC 7515 sections 3.1 and 7.2.2). */
@Injectable()
export class JwtSigner {
  private readonly headers = new WeakMap<JwsKey, Map<string, string>>();

  constructor(
    private readonly keys: JwkKeyStore,
    private readonly signed: SigningEvents,
  ) {}

  /**
   * Signs a claim set as it is; completing it is not done here.
   *
   * @returns the compact JWS, or flattened JWS JSON with `format.full`
   * @throws KeyError when the key is not there or does not fit
   */
  sign(claims: ClaimSet, format: TokenFormat): string | Promise<string> {
    const key = this.keys.signingKey(format.alg, format.kid);
    const header = this.header(key, format);
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const input = `${header}.${payload}`;
    const finish = (signature: string): string => {
      this.signed.tell({ alg: format.alg, kid: key.kid, typ: format.typ, exp: claims.exp });
      return format.full
        ? JSON.stringify({ payload, protected: header, signature })
        : `${input}.${signature}`;
    };
    const signature = signInput(format.alg, key, input);
    return typeof signature === 'string' ? finish(signature) : signature.then(finish);
  }

  /** The encoded header, made once per key, algorithm and type. */
  private header(key: JwsKey, { alg, typ }: TokenFormat): string {
    let byFormat = this.headers.get(key);
    if (byFormat === undefined) this.headers.set(key, (byFormat = new Map()));
    const format = `${alg} ${typ}`;
    let header = byFormat.get(format);
    if (header === undefined) {
      header = Buffer.from(JSON.stringify({ alg, kid: key.kid, typ })).toString('base64url');
      byFormat.set(format, header);
    }
    return header;
  }
}
