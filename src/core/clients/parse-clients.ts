import { namesIn } from '../claims/index.js';
import {
  hasDuplicateMembers,
  isDeeperThan,
  isJsonObject,
  parseJsonExactly,
} from '../json/index.js';
import { decodeBase64url } from '../jws/index.js';
import { KeyError, KeySet } from '../keys/index.js';
import {
  CLIENT_AUTH_METHODS,
  type Client,
  type ClientAuthMethod,
  type ClientRegistration,
} from './client-registration.js';
import { ClientsError } from './clients.error.js';

/** Limits of the registrations in memory and of the problems in a message. */
const MAX_CLIENTS = 10_000;
const MAX_PROBLEMS = 20;
const MAX_NESTING = 100;
const HASH_BYTES = 32;

/** RFC 6749 appendix A.1, without blanks. */
const CLIENT_ID = /^[\x21-\x7e]{1,256}$/;
const GRANT_TYPE = /^[\x21-\x7e]+$/;
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** Claims of a `client_credentials` token that the gateway sets itself. */
const OWN_CLAIMS = [
  'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'sid', 'auth_time', 'cnf',
] as const; // prettier-ignore

/** The check of one member, and the text that follows "is not" in a message. */
type Rule = readonly [isValid: (value: unknown) => boolean, expected: string];

const RULES: Readonly<Record<keyof ClientRegistration, Rule>> = {
  client_id: [
    (value) => matches(value, CLIENT_ID),
    'a string of 1 to 256 printable ASCII characters without blanks',
  ],
  token_endpoint_auth_method: [
    (value) => CLIENT_AUTH_METHODS.includes(value as ClientAuthMethod),
    `one of ${CLIENT_AUTH_METHODS.join(', ')}`,
  ],
  client_secret_sha256: [isHash, 'the SHA-256 of a secret in base64url'],
  jwks: [(value) => isJsonObject(value) && Array.isArray(value.keys), 'a JWK Set'],
  jwks_uri: [isKeyUrl, 'an https URL without user, password and fragment'],
  grant_types: [
    (value) => isListOf(value, GRANT_TYPE) && new Set(value).size === value.length,
    'a list of grant types, each once',
  ],
  scope: [(value) => matches(value, SCOPE), 'a string of scopes with single blanks between them'],
  audience: [isAudience, 'a string or a list of strings, none of them empty'],
  claims: [
    (value) => isJsonObject(value) && !isDeeperThan(MAX_NESTING, value),
    'an object with claims',
  ],
  dpop_bound_access_tokens: [(value) => typeof value === 'boolean', 'true or false'],
  dpop_jkt: [isHash, 'the SHA-256 thumbprint of a key in base64url'],
};

/** Unknown members that are likely mistakes, with the message for each. */
const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'client_secret',
    "'client_secret' does not belong into a file: write its SHA-256 as 'client_secret_sha256' (signet clients makes both)",
  ],
  ['secret', "'secret' is unknown: write its SHA-256 as 'client_secret_sha256'"],
]);

/**
 * Parses client registrations: `{ "clients": [ … ] }`, each a {@link ClientRegistration}.
 *
 * @param text JSON
 * @param source name of the file in messages
 * @returns the clients by their id, in the order of the file
 * @throws ClientsError with one line per problem, which names the client and the member, but no values
 */
export function parseClients(text: string, source: string): ReadonlyMap<string, Client> {
  let value: unknown;
  try {
    // A byte order mark is ignored, as RFC 8259 section 8.1 allows.
    value = parseJsonExactly(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's message is dropped because it quotes the text.
    throw new ClientsError([`${source}: not valid JSON`]);
  }
  if (!isJsonObject(value) || !Array.isArray(value.clients))
    throw new ClientsError([`${source}: not an object with a list 'clients'`]);
  if (hasDuplicateMembers(text, value))
    throw new ClientsError([`${source}: an object names a member twice`]);
  const unknownNames = Object.keys(value).filter((name) => name !== 'clients');
  if (unknownNames.length > 0)
    throw new ClientsError([`${source}: ${unknownNames.map(unknownMember).join('; ')}`]);
  return checkClients(value.clients, source);
}

/**
 * Checks registrations that a program passes as objects, like {@link parseClients}.
 *
 * @throws ClientsError with one line per problem
 */
export function checkClients(
  registrations: readonly unknown[],
  source: string,
): ReadonlyMap<string, Client> {
  const problems: string[] = [];
  const clients = new Map<string, Client>();
  if (registrations.length > MAX_CLIENTS)
    throw new ClientsError([`${source}: more than ${MAX_CLIENTS} clients`]);
  registrations.forEach((registration, index) => {
    const name = nameOf(registration, index);
    const found = problemsOf(registration);
    if (found.length === 0) {
      const { client_id: id } = registration as ClientRegistration;
      if (clients.has(id)) found.push('is there twice');
      else
        try {
          clients.set(id, toClient(registration as ClientRegistration));
        } catch (error) {
          if (!(error instanceof KeyError)) throw error;
          found.push(error.message);
        }
    }
    problems.push(...found.map((problem) => `${source}: ${name}: ${problem}`));
  });
  if (problems.length > MAX_PROBLEMS)
    problems.splice(
      MAX_PROBLEMS,
      Infinity,
      `${source}: and ${problems.length - MAX_PROBLEMS} more`,
    );
  if (problems.length > 0) throw new ClientsError(problems);
  return clients;
}

function nameOf(registration: unknown, index: number): string {
  const id = isJsonObject(registration) ? registration.client_id : undefined;
  return matches(id, CLIENT_ID) ? `client '${id.slice(0, 40)}'` : `client ${index + 1}`;
}

function problemsOf(registration: unknown): string[] {
  if (!isJsonObject(registration)) return ['not an object'];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(registration)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof ClientRegistration] : undefined;
    if (rule === undefined) problems.push(HINTS.get(name) ?? unknownMember(name));
    else if (!rule[0](value)) problems.push(`'${name}' is not ${rule[1]}`);
  }
  for (const name of ['client_id', 'grant_types'] as const)
    if (registration[name] === undefined) problems.push(`'${name}' is missing`);
  return problems.length > 0
    ? problems
    : contradictions(registration as unknown as ClientRegistration);
}

const unknownMember = (name: string): string =>
  `'${name.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}' is unknown`;

/** Returns the problems of members that are valid by themselves, but not together. */
function contradictions(registration: ClientRegistration): string[] {
  const { grant_types: grants, claims } = registration;
  const method = methodOf(registration);
  const problems: string[] = [];
  const credentials = (['client_secret_sha256', 'jwks', 'jwks_uri'] as const).filter(
    (name) => registration[name] !== undefined,
  );
  const wanted = CREDENTIALS[method];
  const strange = credentials.filter((name) => !wanted.includes(name));
  for (const name of strange) problems.push(`'${name}' does not go with the method ${method}`);
  const fitting = credentials.length - strange.length;
  if (wanted.length > 0 && fitting !== 1)
    problems.push(
      `the method ${method} needs ${wanted.length > 1 ? 'one of ' : ''}${wanted.map((name) => `'${name}'`).join(' and ')}`,
    );
  const usesClientCredentials = grants.includes('client_credentials');
  if (usesClientCredentials && method === 'none')
    problems.push('client_credentials is for clients with credentials (RFC 6749 section 4.4)');
  if (claims !== undefined && !usesClientCredentials)
    problems.push("'claims' is for the grant type client_credentials, which 'grant_types' lacks");
  if (registration.dpop_jkt !== undefined && registration.dpop_bound_access_tokens === false)
    problems.push("'dpop_jkt' is set, and 'dpop_bound_access_tokens' is false");
  const taken = OWN_CLAIMS.filter((name) => claims !== undefined && Object.hasOwn(claims, name));
  if (taken.length > 0)
    problems.push(`'claims' holds ${taken.join(', ')}, which the gateway itself decides`);
  return problems;
}

const CREDENTIALS: Readonly<
  Record<ClientAuthMethod, readonly ('client_secret_sha256' | 'jwks' | 'jwks_uri')[]>
> = {
  none: [],
  client_secret_basic: ['client_secret_sha256'],
  client_secret_post: ['client_secret_sha256'],
  private_key_jwt: ['jwks', 'jwks_uri'],
};

/** Returns the authentication method with its default by RFC 7591 section 2. */
const methodOf = ({
  token_endpoint_auth_method: method = 'client_secret_basic',
}: ClientRegistration): ClientAuthMethod => method;

function toClient(registration: ClientRegistration): Client {
  const { client_secret_sha256: secretHash, jwks, scope } = registration;
  return {
    id: registration.client_id,
    method: methodOf(registration),
    secretHash: secretHash === undefined ? undefined : Buffer.from(secretHash, 'base64url'),
    jwks: jwks === undefined ? undefined : KeySet.parse(JSON.stringify(jwks), 'jwks', true),
    jwksUri: registration.jwks_uri,
    grantTypes: new Set(registration.grant_types),
    scopes: scope === undefined ? undefined : [...new Set(scope.split(' '))],
    audience: namesIn(registration.audience) ?? [],
    claims: registration.claims,
    needsProof:
      registration.dpop_bound_access_tokens === true || registration.dpop_jkt !== undefined,
    proofKey: registration.dpop_jkt,
  };
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && decodeBase64url(value)?.length === HASH_BYTES;
}

const matches = (value: unknown, pattern: RegExp): value is string =>
  typeof value === 'string' && pattern.test(value);

const isListOf = (value: unknown, pattern: RegExp): value is string[] =>
  Array.isArray(value) && value.every((item) => matches(item, pattern));

function isAudience(value: unknown): boolean {
  const names = namesIn(value);
  return names !== undefined && names.length > 0 && !names.includes('');
}

/** Accepts http as well: the code that fetches the keys decides if it is allowed. */
function isKeyUrl(value: unknown): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.hash === ''
  );
}
