interface Principal {
  secret: string;
  sub: string;
  roles: string[];
}

/** The users of the demo: the first one has the roles that `GET /private/custom` asks for. */
const USERS: Readonly<Record<string, Principal>> = {
  alice: { secret: 'wonderland', sub: '1234567890qwertyuio', roles: ['role_a', 'role_b'] },
  bob: { secret: 'builder', sub: '0987654321poiuytrewq', roles: ['role_y'] },
};

/** The services of the demo, for the client credentials grant. */
const CLIENTS: Readonly<Record<string, Principal>> = {
  demo: { secret: 'demo-secret', sub: 'demo', roles: ['role_c'] },
};

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** An answer of the demo's login; refusals as in RFC 6749 section 5.2. */
interface Answer {
  status: number;
  answer: object;
}

/** What the demo reads of a request; anything may be in it. */
type Parameters = Readonly<Record<string, unknown>>;

/**
 * What the demo's login says: claims for whoever knows the password, and for an empty request,
 * as the endpoint this product comes from does. Every scope and every audience (`resource`, RFC 8707)
 * that is asked for is granted.
 *
 * @param authorization header of the request; `Basic` names the client (RFC 6749 section 2.3.1)
 */
export function login(
  contentType: string | undefined,
  body: string,
  authorization?: string,
): Answer {
  const parameters = given({ ...parse(contentType, body), ...basicClient(authorization) });
  const { scope, resource, grant_type: grant = 'password', password } = parameters;
  if (scope !== undefined && (typeof scope !== 'string' || !SCOPE.test(scope)))
    return refuse(400, 'invalid_scope', 'the scope is not a list of words');
  if (grant !== 'password' && grant !== 'client_credentials')
    return refuse(400, 'unsupported_grant_type', 'use password or client_credentials');
  const byClient = grant === 'client_credentials';
  if (hasWrongSecret(parameters)) return refuseClient();
  if (!byClient && password === undefined && body !== '')
    return refuse(400, 'invalid_request', 'the parameter password is missing');
  const principal = byClient ? findClient(parameters) : findUser(parameters, body === '');
  if (principal === undefined)
    return byClient
      ? refuseClient()
      : refuse(400, 'invalid_grant', 'unknown user or wrong password');
  const client = typeof parameters.client_id === 'string' ? parameters.client_id : undefined;
  const grantedTo = {
    client,
    scope,
    resource: typeof resource === 'string' ? resource : undefined,
  };
  const { refresh_token, ...answer } = tokens(principal, grantedTo);
  // A client can ask again with its secret (RFC 6749 section 4.4.3).
  return { status: 200, answer: byClient ? answer : { ...answer, refresh_token } };
}

/** What was granted, to whom. */
interface Grant {
  client?: string;
  scope?: unknown;
  resource?: unknown;
}

/**
 * Claims for both tokens. Who issued them, and for whom where nothing else was asked for, is left to the gateway. The
 * refresh token holds what its successors are to have.
 */
function tokens({ sub, roles }: Principal, { client, scope, resource }: Grant) {
  const granted = scope === undefined ? {} : { scope };
  const audience = resource === undefined ? {} : { aud: resource };
  return {
    access_token: { ...audience, sub, client_id: client ?? 'demo', roles, ...granted },
    refresh_token: {
      sub,
      ...(client === undefined ? {} : { client_id: client }),
      ...granted,
      ...(resource === undefined ? {} : { resource }),
    },
    ...granted,
  };
}

/**
 * What the demo says when a session is to go on: the user's claims as they are today, with the scope and
 * for the audience that the session was begun with, or that is asked for now.
 *
 * @param body `{ sub, sid, claims, request }`, as Signet sends it
 * @param authorization credentials of the client, as {@link login} has them
 */
export function goOn(body: string, authorization?: string): Answer {
  const {
    sub,
    claims = {},
    request = {},
  } = parse('application/json', body) as Parameters & { claims?: Parameters; request?: Parameters };
  if (hasWrongSecret(given(basicClient(authorization)))) return refuseClient();
  const user = Object.values(USERS).find((one) => one.sub === sub);
  if (user === undefined) return refuse(400, 'invalid_grant', 'there is no such user any more');
  const { client_id: client, ...begun } = claims as Grant & { client_id?: string };
  const { scope = begun.scope, resource = begun.resource } = request;
  const answer = tokens(user, { client, scope, resource });
  // Less may be asked for now, and all of it the next time (RFC 6749 section 6).
  const { refresh_token } = tokens(user, { client, ...begun });
  return { status: 200, answer: { ...answer, refresh_token } };
}

/** Parameters without a value count as left out (RFC 6749 section 3.2). */
const given = (parameters: Parameters): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''));

const refuse = (status: number, error: string, text: string): Answer => ({
  status,
  answer: { error, error_description: text },
});

const refuseClient = (): Answer => refuse(401, 'invalid_client', 'unknown client or wrong secret');

/** Whoever shows a secret is authenticated by it, whatever the grant (RFC 6749 section 4.3.2). */
const hasWrongSecret = (parameters: Parameters): boolean =>
  parameters.client_secret !== undefined && findClient(parameters) === undefined;

function findUser({ username = 'alice', password }: Parameters, trusted: boolean) {
  const user = own(USERS, username);
  return trusted || user?.secret === password ? user : undefined;
}

function findClient({ client_id: id, client_secret: secret }: Parameters) {
  const client = own(CLIENTS, id);
  return client?.secret === secret ? client : undefined;
}

const own = (of: Readonly<Record<string, Principal>>, name: unknown): Principal | undefined =>
  typeof name === 'string' && Object.hasOwn(of, name) ? of[name] : undefined;

function basicClient(authorization: string | undefined): Parameters {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return {};
  const text = Buffer.from(encoded, 'base64').toString();
  // Both halves are form-encoded before they are joined.
  const form = new URLSearchParams(`client_id=${text.replace(':', '&client_secret=')}`);
  return Object.fromEntries(form);
}

function parse(contentType: string | undefined, body: string): Parameters {
  try {
    return contentType?.startsWith('application/json') === true
      ? (JSON.parse(body) as Parameters)
      : Object.fromEntries(new URLSearchParams(body));
  } catch {
    return {};
  }
}
