import { LOGIN_AUTH_METHODS, type Environment } from './environment.js';
import { foreignIssuers, hasGivenKeys } from './key-sources.js';

/** Returns warnings for the operator about settings that are valid, one line each. */
export const warningsOf = (env: Environment): string[] => [
  ...httpHostsWarning(env),
  ...sharedKeysWarning(env),
  ...trustProxyWarning(env),
  ...explainPageWarning(env),
  ...authMethodsWarning(env),
];

const httpHostsWarning = ({ JWK_HTTP_HOSTS: hosts }: Environment): string[] =>
  hosts.length === 0
    ? []
    : [
        `JWK_HTTP_HOSTS: keys and metadata of ${hosts.join(', ')} may come by plain http; anyone on the network path can replace the keys`,
      ];

function sharedKeysWarning(env: Environment): string[] {
  const others = foreignIssuers(env);
  if (!hasGivenKeys(env) || others.length < 2) return [];
  const name =
    env.VALIDATOR_JWK_URL === undefined ? 'VALIDATOR_JWK_LOCAL_PATH' : 'VALIDATOR_JWK_URL';
  return [
    `${name} gives several issuers of VALIDATOR_ISSUER one set of keys: ${others.join(', ')}; whoever has a key of it can sign for each of them`,
  ];
}

const trustProxyWarning = ({ TRUST_PROXY }: Environment): string[] =>
  TRUST_PROXY === true
    ? [
        'TRUST_PROXY=true: a client can write any address into X-Forwarded-For, and so gets past THROTTLE_LIMIT; name the addresses of your proxies, or how many there are',
      ]
    : [];

/** The explain page helps an attacker to try out tokens, so other machines should not be able to reach it. */
function explainPageWarning(env: Environment): string[] {
  const { EXPLAIN_PAGE, MANAGEMENT_PORT, MANAGEMENT_HOST, NODE_ENV } = env;
  if (!EXPLAIN_PAGE) return [];
  if (MANAGEMENT_PORT === 'off')
    return ['EXPLAIN_PAGE=true needs MANAGEMENT_PORT, which is off: there is no explain page'];
  return NODE_ENV !== 'production' || /^(?:127\.|localhost$|::1$)/.test(MANAGEMENT_HOST)
    ? []
    : [
        `EXPLAIN_PAGE=true: whoever reaches MANAGEMENT_HOST (${MANAGEMENT_HOST}) is told why a token is refused`,
      ];
}

/** With `CLIENTS_FILE`, the gateway authenticates clients, not the login service. The default needs no warning. */
const authMethodsWarning = (env: Environment): string[] =>
  env.CLIENTS_FILE !== undefined &&
  env.TOKEN_BACKEND_AUTH_METHODS.join() !== LOGIN_AUTH_METHODS.join()
    ? [
        'TOKEN_BACKEND_AUTH_METHODS does nothing with CLIENTS_FILE: token_endpoint_auth_method of each client says how it authenticates',
      ]
    : [];
