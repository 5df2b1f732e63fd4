import type { Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Operation, type Route } from '../routes/index.js';

/** Name of the security scheme of {@link loginScheme}. */
export const LOGIN = 'login';

/** The security scheme by which Swagger UI gets a token (OpenAPI 3.0, OAuth Flows Object). */
export type LoginScheme = NonNullable<ReturnType<typeof loginScheme>>;

/**
 * The scheme behind "Authorize" of Swagger UI: it requests a token from the token endpoint, with user and password
 * or with client credentials.
 *
 * @param routes by operation id
 * @param clients `undefined` where no clients are registered; `itself`: some of them get tokens without a login
 * @returns `undefined` where the document has no token endpoint
 */
export function loginScheme(
  { paths }: OpenAPIObject,
  routes: ReadonlyMap<string, Route>,
  reflector: Pick<Reflector, 'get'>,
  clients: { itself: boolean } | undefined,
) {
  const tokenUrl = Object.keys(paths).find((path) => {
    const route = routes.get(paths[path]?.post?.operationId ?? '');
    return route !== undefined && reflector.get(Operation, route.handler)?.endpoint === 'token';
  });
  if (tokenUrl === undefined) return undefined;
  const flow = (): { tokenUrl: string; scopes: Record<string, string> } => ({
    tokenUrl,
    scopes: {},
  });
  return {
    type: 'oauth2' as const,
    description:
      clients === undefined
        ? 'Clients are not registered here: `client_id` and `client_secret` stay empty.'
        : '`client_id` and `client_secret` are those of a registered client; of a public one `client_id` alone, in the request body.',
    flows: {
      password: flow(),
      ...(clients?.itself === true ? { clientCredentials: flow() } : {}),
    },
  };
}
