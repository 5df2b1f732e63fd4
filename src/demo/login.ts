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
): { status: number; answer: object } {
  const parameters = given({ ...parse(contentType, body), ...basicClient(authorization) });
  const { scope, client_id: clientId = 'demo', grant_type: grant = 'password' } = parameters;
  if (scope !== undefined && (typeof scope !== 'string' || !SCOPE.test(scope)))
    return refuse(400, 'invalid_scope', 'the scope is not a list of words');
  if (grant !== 'password' && grant !== 'client_credentials')
    return refuse(400, 'unsupported_grant_type', 'use password or client_credentials');
  const byClient = grant === 'client_credentials';
  const principal = byClient ? findClient(parameters) : findUser(parameters, body === '');
  if (principal === undefined)
    return byClient
      ? refuse(401, 'invalid_client', 'unknown client or wrong secret')
      : refuse(401, 'invalid_grant', 'unknown user or wrong password');
  const { sub, roles } = principal;
  const { resource } = parameters;
  const aud = typeof resource === 'string' ? resource : 'http://api.example.com';
  const claims = { aud, iss: 'https://krakend.io', sub };
  const granted = scope === undefined ? {} : { scope };
  return {
    status: 200,
    answer: {
      access_token: { ...claims, client_id: clientId, roles, ...granted },
      // A client can ask again with its secret (RFC 6749 section 4.4.3).
      // Its own aud becomes the issuer: what its successors are for stands beside it.
      ...(byClient ? {} : { refresh_token: { ...claims, resource: aud } }),
      ...granted,
    },
  };
}

/**
 * What the demo says when a session is to go on: the user's claims as they are today, for the audience
 * that the session was begun with.
 *
 * @param body `{ sub, sid, claims }`, as Signet sends it
 */
export function goOn(body: string): { status: number; answer: object } {
  const { sub, claims = {} } = parse('application/json', body) as Parameters & {
    claims?: Parameters;
  };
  const user = Object.values(USERS).find((one) => one.sub === sub);
  if (user === undefined) return refuse(401, 'invalid_grant', 'there is no such user any more');
  const again = { aud: claims.resource, iss: 'https://krakend.io', sub };
  return {
    status: 200,
    answer: {
      access_token: { ...again, client_id: claims.client_id ?? 'demo', roles: user.roles },
      refresh_token: { ...again, resource: claims.resource },
    },
  };
}

/** Parameters without a value count as left out (RFC 6749 section 3.2). */
const given = (parameters: Parameters): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''));

const refuse = (
  status: number,
  error: string,
  text: string,
): { status: number; answer: object } => ({
  status,
  answer: { error, error_description: text },
});

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
