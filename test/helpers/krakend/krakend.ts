/** `data/jwk/symmetric.json` and the two endpoints of KrakenD's playground, as published. */
export const SECRET =
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';

export const SIGNER = {
  alg: 'HS256',
  kid: 'sim2',
  keys_to_sign: ['access_token', 'refresh_token'],
  jwk_local_path: '/etc/krakend/jwk/symmetric.json',
  disable_jwk_security: true,
};

export const VALIDATOR = {
  alg: 'HS256',
  audience: ['http://api.example.com'],
  roles_key: 'roles',
  issuer: 'https://krakend.io',
  roles: ['role_a', 'role_c'],
  jwk_local_path: '/etc/krakend/jwk/symmetric.json',
  disable_jwk_security: true,
};

type Members = Record<string, unknown>;

/** An endpoint with one backend. */
export const endpoint = (
  path: string,
  extra: Members = {},
  members: Members = {},
  backend: Members = {},
): Members => ({
  endpoint: path,
  backend: [{ host: ['http://fake_api'], url_pattern: '/user/1.json', ...backend }],
  ...(Object.keys(extra).length > 0 ? { extra_config: extra } : {}),
  ...members,
});

/** A configuration around endpoints. */
export const krakend = (endpoints: unknown, members: Members = {}): Members => ({
  $schema: 'https://www.krakend.io/schema/v2.13/krakend.json',
  version: 3,
  name: 'playground',
  ...members,
  endpoints,
});

/** Both routes of the playground, by the names of today or of version 1. */
export const playground = (signer = 'auth/signer', validator = 'auth/validator'): Members =>
  krakend(
    [
      endpoint('/token', { [signer]: SIGNER }, { method: 'POST' }, { url_pattern: '/token.json' }),
      endpoint('/private/custom', { [validator]: VALIDATOR }),
    ],
    { port: 8080, timeout: '3s' },
  );
