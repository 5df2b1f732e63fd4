import type { TokenPolicy } from '../core/verify/index.js';

/** A protected route, as the metadata of resources see it. */
export interface ResourceRoute {
  /** Segments of its path in lower case; `undefined` for one that may be anything. */
  readonly segments: readonly (string | undefined)[];
  /** Anything may follow. */
  readonly open: boolean;
  /** Issuers whose tokens count there, as far as they can be found by their metadata. */
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
  /** A bearer token is taken in the `Authorization` header. */
  readonly takesBearer: boolean;
  readonly dpop: TokenPolicy['dpop'];
  readonly dpopAlgorithms: readonly string[];
}

/** What is known of a resource beside its routes. */
export interface ResourceMetadataOptions {
  /** Name of the application for people. */
  resourceName?: string;
}

/** @param path as Nest registers it, e.g. `/orders/:id`, `/files/*path`, `/files{/:name}` */
export function describeRoute(path: string, policy: TokenPolicy): ResourceRoute {
  const { perIssuer, issuers, scopes, authHeaderName, dpop, dpopAlgorithms } = policy;
  const cut = path.search(/[*{]/);
  const open = cut >= 0;
  const segments = segmentsOf(open ? path.slice(0, cut) : path).map((segment) =>
    segment.includes(':') ? undefined : segment,
  );
  // A part of a segment that is cut says nothing of the whole.
  if (open && path[cut - 1] !== '/' && path[cut + 1] !== '/') segments.pop();
  return {
    segments,
    open,
    issuers: [...(perIssuer?.keys() ?? issuers)].filter(isIssuerUrl),
    scopes,
    takesBearer: authHeaderName === 'authorization' && dpop !== 'required',
    dpop,
    dpopAlgorithms: [...dpopAlgorithms],
  };
}

/** RFC 8414 section 2: what is no such URL has no metadata. */
function isIssuerUrl(issuer: string): boolean {
  const url = URL.parse(issuer);
  return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
}

/** Routers do not tell upper from lower case, unless they are told to. */
const segmentsOf = (path: string): string[] => path.toLowerCase().split('/').filter(Boolean);

/** The routes at a path and below it. */
export function routesBelow(path: string, routes: readonly ResourceRoute[]): ResourceRoute[] {
  const asked = segmentsOf(path);
  return routes.filter(({ segments, open }) =>
    asked.every((segment, index) =>
      index < segments.length ? segments[index] === undefined || segments[index] === segment : open,
    ),
  );
}

/**
 * Metadata of a protected resource (RFC 9728 section 2): what its routes have in common, and what a client needs
 * for all of them. There are no empty lists.
 *
 * @param resource URL that clients ask for
 * @param routes those below it; at least one
 */
export function resourceMetadata(
  resource: string,
  routes: readonly ResourceRoute[],
  { resourceName }: ResourceMetadataOptions,
): Readonly<Record<string, unknown>> {
  const issuers = new Set(routes.flatMap((route) => route.issuers));
  const scopes = new Set(routes.flatMap((route) => route.scopes));
  const proving = routes.filter(({ dpop }) => dpop !== false);
  // Whoever takes any of them gets through everywhere.
  const algorithms = (proving[0]?.dpopAlgorithms ?? []).filter((alg) =>
    proving.every(({ dpopAlgorithms }) => dpopAlgorithms.includes(alg)),
  );
  return {
    resource,
    ...(issuers.size > 0 ? { authorization_servers: [...issuers] } : {}),
    ...(scopes.size > 0 ? { scopes_supported: [...scopes] } : {}),
    ...(routes.some(({ takesBearer }) => takesBearer)
      ? { bearer_methods_supported: ['header'] }
      : {}),
    ...(resourceName === undefined ? {} : { resource_name: resourceName }),
    ...(algorithms.length > 0 ? { dpop_signing_alg_values_supported: algorithms } : {}),
    ...(routes.every(({ dpop }) => dpop === 'required')
      ? { dpop_bound_access_tokens_required: true }
      : {}),
  };
}
