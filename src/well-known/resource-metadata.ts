import type { TokenPolicy } from '../core/verify/index.js';

/** The properties of a protected route that the metadata use. */
export interface ResourceRoute {
  /** Segments of the path, in lower case; `undefined` for a path parameter. */
  readonly segments: readonly (string | undefined)[];
  /** More segments may follow. */
  readonly open: boolean;
  /** Accepted issuers that are URLs, so that clients can fetch their metadata. */
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
  /** Bearer tokens are accepted in the `Authorization` header. */
  readonly takesBearer: boolean;
  readonly dpop: TokenPolicy['dpop'];
  readonly dpopAlgorithms: readonly string[];
}

/** Metadata that do not come from decorators. */
export interface ResourceMetadataOptions {
  /** `resource_name`: the name of the application, for people. */
  resourceName?: string;
}

/**
 * Describes a route. @param path the path as Nest registers it, e.g. `/orders/:id`, `/files/*path`, `/files{/:name}`
 */
export function describeRoute(path: string, policy: TokenPolicy): ResourceRoute {
  const { perIssuer, issuers, scopes, authHeaderName, dpop, dpopAlgorithms } = policy;
  const cut = path.search(/[*{]/);
  const open = cut >= 0;
  const segments = segmentsOf(open ? path.slice(0, cut) : path).map((segment) =>
    segment.includes(':') ? undefined : segment,
  );
  // A wildcard within a segment: the part before it is no whole segment.
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

/** True for an http or https URL without query and fragment (RFC 8414 section 2). */
function isIssuerUrl(issuer: string): boolean {
  const url = URL.parse(issuer);
  return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
}

/** The segments of a path in lower case, since routers ignore case by default. */
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
 * Makes the metadata of a protected resource (RFC 9728 section 2): what all its routes have in common, and everything
 * that one of them needs. Empty lists are left out.
 *
 * @param resource URL of the resource
 * @param routes the routes below it, at least one
 */
export function resourceMetadata(
  resource: string,
  routes: readonly ResourceRoute[],
  { resourceName }: ResourceMetadataOptions,
): Readonly<Record<string, unknown>> {
  const issuers = new Set(routes.flatMap((route) => route.issuers));
  const scopes = new Set(routes.flatMap((route) => route.scopes));
  const withDpop = routes.filter(({ dpop }) => dpop !== false);
  // The algorithms that every route accepts.
  const algorithms = (withDpop[0]?.dpopAlgorithms ?? []).filter((alg) =>
    withDpop.every(({ dpopAlgorithms }) => dpopAlgorithms.includes(alg)),
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
