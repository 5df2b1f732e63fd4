/** The users of the demo: the first one has the roles that `GET /private/custom` asks for. */
const USERS: Readonly<Record<string, { password: string; sub: string; roles: string[] }>> = {
  alice: { password: 'wonderland', sub: '1234567890qwertyuio', roles: ['role_a', 'role_b'] },
  bob: { password: 'builder', sub: '0987654321poiuytrewq', roles: ['role_y'] },
};

/**
 * What the demo's login says: claims for whoever knows the password, and for an empty request,
 * as the endpoint this product comes from does.
 */
export function login(
  contentType: string | undefined,
  body: string,
): { status: number; answer: object } {
  const { username = 'alice', password } = parse(contentType, body);
  const user = Object.hasOwn(USERS, username) ? USERS[username] : undefined;
  if (user === undefined || (body !== '' && password !== user.password))
    return {
      status: 401,
      answer: { error: 'invalid_grant', error_description: 'unknown user or wrong password' },
    };
  const { sub, roles } = user;
  const claims = { aud: 'http://api.example.com', iss: 'https://krakend.io', sub };
  return { status: 200, answer: { access_token: { ...claims, roles }, refresh_token: claims } };
}

function parse(
  contentType: string | undefined,
  body: string,
): { username?: string; password?: string } {
  try {
    return contentType?.startsWith('application/json') === true
      ? (JSON.parse(body) as object)
      : Object.fromEntries(new URLSearchParams(body));
  } catch {
    return {};
  }
}
