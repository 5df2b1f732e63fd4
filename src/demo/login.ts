interface Principal {
  secret: string;
  sub: string;
  roles: string[];
}

/** The users of the demo. Alice has a role that `GET /private/custom` needs, Bob has none. */
const USERS: Readonly<Record<string, Principal>> = {
  alice: { secret: 'wonderland', sub: '1234567890qwertyuio', roles: ['role_a', 'role_b'] },
  bob: { secret: 'builder', sub: '0987654321poiuytrewq', roles: ['role_y'] },
};

/** The clients of the demo, for the client credentials grant. */
const CLIENTS: Readonly<Record<string, Principal>> = {
  demo: { secret: 'demo-secret', sub: 'demo', roles: ['role_c'] },
};

/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** An answer of the demo login. Refusals have the form of RFC 6749 section 5.2. */
interface Answer {
  status: number;
  answer: object;
}

/** The parameters of a request, not validated. */
type Parameters = Readonly<Record<string, unknown>>;

/**
 * Answers a login with claims: for user and password, for client credentials, and also for an empty body, so that
 * `curl -X POST /token` works. All requested scopes and audiences (`resource`, RFC 8707) are granted.
 *
 * @param authorization header of the request; `Basic` authenticates the client (RFC 6749 section 2.3.1)
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

/** What is granted to a client. */
interface Grant {
  client?: string;
  scope?: unknown;
  resource?: unknown;
}

/**
 * The claims of both tokens. `iss`, and `aud` without `resource`, are left to the gateway. The refresh token holds what
 * was granted, for the next refresh.
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
 * Answers a refresh with the current claims of the user. Scope and audience are those that the request asks for, else
 * those of the session.
 *
 * @param body `{ sub, sid, claims, request }`, as Signet sends it
 * @param authorization header with the credentials of the client, see {@link login}
 */
export function refreshSession(body: string, authorization?: string): Answer {
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
  // A refresh with a narrower scope does not change the grant of the session (RFC 6749 section 6).
  const { refresh_token } = tokens(user, { client, ...begun });
  return { status: 200, answer: { ...answer, refresh_token } };
}

/** Removes parameters without a value, which count as left out (RFC 6749 section 3.2). */
const given = (parameters: Parameters): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''));

const refuse = (status: number, error: string, text: string): Answer => ({
  status,
  answer: { error, error_description: text },
});

const refuseClient = (): Answer => refuse(401, 'invalid_client', 'unknown client or wrong secret');

/** A client secret is checked with every grant (RFC 6749 section 4.3.2). */
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
  // Id and secret are form-encoded (RFC 6749 section 2.3.1).
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
