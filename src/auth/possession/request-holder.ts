import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { TokenRefusedError } from '../../core/errors/index.js';
import { requestUrl, type TokenHolder } from '../../core/verify/index.js';
import { trustsPeer } from '../../http/index.js';
import { certificateThumbprint, thumbprintOfHeader } from './client-certificate.js';

/** The options that describe how requests reach the application. */
export interface HolderOptions {
  /** URL by which clients reach the application. */
  readonly publicUrl: string | undefined;
  /** Header of a trusted proxy with the client's certificate, in lower case. */
  readonly mtlsHeader: string | undefined;
}

/** The proofs and the certificate of the sender of a request. They are read when they are needed. */
export class RequestHolder implements TokenHolder {
  constructor(
    private readonly request: IncomingMessage,
    readonly scheme: TokenHolder['scheme'],
    private readonly options: HolderOptions,
    readonly proven?: TokenHolder['proven'],
  ) {}

  get method(): string {
    return this.request.method ?? '';
  }

  url(): string | undefined {
    const { publicUrl } = this.options;
    return requestUrl(this.request, { publicUrl, trustsPeer: trustsPeer(this.request) });
  }

  proofs(): readonly string[] {
    return this.request.headersDistinct.dpop ?? [];
  }

  certificate(): string {
    const { mtlsHeader } = this.options;
    // The certificate of this connection may be that of the proxy, not that of the client.
    if (mtlsHeader !== undefined && trustsPeer(this.request))
      return certificateIn(this.request, mtlsHeader);
    const socket = this.request.socket as Partial<TLSSocket>;
    const own = socket.getPeerX509Certificate?.();
    if (own !== undefined) return certificateThumbprint(own.raw);
    throw refuse(
      mtlsHeader === undefined
        ? 'there is none on the connection, and no header of a proxy counts (the option mtlsHeader of AuthModule)'
        : `there is none on the connection, and ${mtlsHeader} counts only from a proxy that is trusted ('trust proxy')`,
    );
  }
}

function certificateIn({ headersDistinct }: IncomingMessage, name: string): string {
  const [header, ...others] = headersDistinct[name] ?? [];
  if (header === undefined) throw refuse(`the proxy sent no header ${name}`);
  const thumbprint = others.length === 0 ? thumbprintOfHeader(header) : undefined;
  if (thumbprint === undefined)
    throw refuse(`the header ${name} does not hold one certificate in a form that is understood`);
  return thumbprint;
}

const refuse = (why: string): TokenRefusedError =>
  new TokenRefusedError(
    'claim_invalid',
    `the token is bound to a client certificate (cnf.x5t#S256): ${why}`,
    { claim: 'cnf' },
  );
