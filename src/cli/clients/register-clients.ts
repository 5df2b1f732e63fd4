import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  CLIENT_AUTH_METHODS,
  clientSecretHash,
  newClientSecret,
  type Client,
  type ClientAuthMethod,
  type ClientRegistration,
} from '../../core/clients/index.js';
import { isJsonObject, parseJsonExactly } from '../../core/json/index.js';
import type { CommandContext } from '../command-context.js';
import { CommandError } from '../command.error.js';
import { choiceOf } from '../signet-command.js';
import { ClientFile } from './client-file.js';

/** File of clients when CLIENTS_FILE is not set. */
const DEFAULT_FILE = 'clients.json';
/** Default grant types of confidential and of public clients. */
const GRANT_TYPES = {
  confidential: ['client_credentials'],
  public: ['password', 'refresh_token'],
} as const;

interface FileOptions {
  readonly file: string;
}

interface AddOptions extends FileOptions {
  readonly method: ClientAuthMethod;
  readonly grantType?: readonly string[];
  readonly scope?: string;
  readonly audience?: readonly string[];
  /** False for `--no-claims`. */
  readonly claims?: Record<string, unknown> | false;
  readonly jwks?: string;
  readonly jwksUri?: string;
}

/** `signet clients …`: the file of registered clients. */
export function registerClients(program: Command, context: CommandContext): void {
  const clients = program
    .command('clients')
    .description('Register clients of the token endpoint, in the file of CLIENTS_FILE');
  const file = (): Option =>
    new Option('--file <path>', 'file of clients').default(
      context.settings.given('CLIENTS_FILE')?.trim() ?? DEFAULT_FILE,
    );
  clients
    .command('add')
    .description('Register a client; its secret is made here and shown this once')
    .argument('<client_id>')
    .addOption(file())
    .addOption(
      choiceOf(
        new Option('--method <method>', 'how it authenticates'),
        CLIENT_AUTH_METHODS,
      ).default('client_secret_basic'),
    )
    .addOption(
      new Option(
        '--grant-type <type>',
        'what it may ask for; may be repeated (default: client_credentials; of public clients password and refresh_token)',
      ).argParser(collect),
    )
    .option('--scope <scopes>', 'scopes that it may get, with blanks between')
    .addOption(
      new Option('--audience <name>', 'whom its tokens are for; may be repeated').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--claims <json>', 'claims of its tokens of client_credentials').argParser(
        parseClaims,
      ),
    )
    .option('--no-claims', 'let the login answer client_credentials')
    .option('--jwks <file>', 'its public keys (JWK Set), for private_key_jwt')
    .option('--jwks-uri <url>', 'where its public keys are, for private_key_jwt')
    .action((id: string, options: AddOptions) => add(id, options, context));
  clients
    .command('list')
    .description('Show the clients of a file; never secrets')
    .addOption(file())
    .option('--json', 'as JSON')
    .action((options: FileOptions & { json?: boolean }) => list(options, context));
  clients
    .command('rotate-secret')
    .description('Give a client a new secret, shown this once; the old one ends at once')
    .argument('<client_id>')
    .addOption(file())
    .action((id: string, options: FileOptions) => rotateSecret(id, options, context));
  clients
    .command('remove')
    .description('Remove a client; tokens that it has live on until they expire')
    .argument('<client_id>')
    .addOption(file())
    .action((id: string, options: FileOptions) => remove(id, options, context));
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

function parseClaims(text: string): Record<string, unknown> {
  try {
    const claims = parseJsonExactly(text);
    if (isJsonObject(claims)) return claims;
  } catch {
    // The parser's message is dropped, since it quotes the text.
  }
  throw new InvalidArgumentError('It must be a JSON object.');
}

const usesSecret = (method: ClientAuthMethod): boolean =>
  method === 'client_secret_basic' || method === 'client_secret_post';

async function add(
  id: string,
  options: AddOptions,
  { files, output, settings }: CommandContext,
): Promise<void> {
  const { file, method, scope, audience, claims, jwks, jwksUri } = options;
  const grantTypes =
    options.grantType ?? GRANT_TYPES[method === 'none' ? 'public' : 'confidential'];
  const secret = usesSecret(method) ? newClientSecret() : undefined;
  const registration: ClientRegistration = {
    client_id: id,
    token_endpoint_auth_method: method,
    client_secret_sha256: secret === undefined ? undefined : clientSecretHash(secret),
    jwks: jwks === undefined ? undefined : parseJwks((await files.read(jwks)).text, jwks),
    jwks_uri: jwksUri,
    grant_types: grantTypes,
    scope,
    audience: audience?.length === 1 ? audience[0] : audience,
    claims: claims === false ? undefined : (claims ?? defaultClaims(grantTypes)),
  };
  await new ClientFile(file, files).add(registration);
  output.fields([
    ['client_id', id],
    ...(secret === undefined ? [] : [['client_secret', secret] as const]),
    ['file', file],
    [
      'next',
      settings.given('CLIENTS_FILE')?.trim() === file
        ? 'signet serve; a gateway that runs follows the file'
        : `set CLIENTS_FILE=${file}, then: signet serve`,
    ],
  ]);
}

/** Returns the claims without `--claims` and `--no-claims`: `{}` lets the gateway itself answer client_credentials. */
const defaultClaims = (grantTypes: readonly string[]): Record<string, unknown> | undefined =>
  grantTypes.includes('client_credentials') ? {} : undefined;

function parseJwks(text: string, name: string): ClientRegistration['jwks'] {
  try {
    return JSON.parse(text) as ClientRegistration['jwks'];
  } catch {
    throw new CommandError(`${name}: not valid JSON`);
  }
}

async function list(
  { file, json }: FileOptions & { json?: boolean },
  { files, output }: CommandContext,
): Promise<void> {
  const clients = await new ClientFile(file, files).read();
  if (json === true) output.json(clients.map(toJson));
  else output.table([HEADINGS, ...clients.map(toRow)], {});
}

const HEADINGS = ['CLIENT', 'METHOD', 'GRANT TYPES', 'SCOPE', 'AUDIENCE'];

const toRow = ({ id, method, grantTypes, scopes, audience }: Client): string[] => [
  id,
  method,
  [...grantTypes].join(' ') || '-',
  scopes?.join(' ') ?? '-',
  audience.join(' ') || '-',
];

const toJson = ({ id, method, grantTypes, scopes, audience, claims }: Client): object => ({
  client_id: id,
  token_endpoint_auth_method: method,
  grant_types: [...grantTypes],
  scope: scopes?.join(' '),
  audience,
  claims,
});

async function rotateSecret(
  id: string,
  { file }: FileOptions,
  { files, output }: CommandContext,
): Promise<void> {
  const secret = newClientSecret();
  await changeOne(new ClientFile(file, files), id, (client) => {
    if (client.client_secret_sha256 === undefined)
      throw new CommandError(`client '${id}' authenticates without a secret`);
    return [{ ...client, client_secret_sha256: clientSecretHash(secret) }];
  });
  output.fields([
    ['client_id', id],
    ['client_secret', secret],
    ['next', 'give it to the client: the old one ends as soon as the gateway has read the file'],
  ]);
}

async function remove(
  id: string,
  { file }: FileOptions,
  { files, output }: CommandContext,
): Promise<void> {
  await changeOne(new ClientFile(file, files), id, () => []);
  output.line(`removed  ${id}`);
}

/** Replaces one client by the result of `change`. */
const changeOne = (
  file: ClientFile,
  id: string,
  change: (client: ClientRegistration) => readonly ClientRegistration[],
): Promise<void> =>
  file.change((clients) => {
    if (!clients.some(({ client_id: other }) => other === id))
      throw new CommandError(`there is no client '${id}' in ${file.name}`);
    return clients.flatMap((client) => (client.client_id === id ? change(client) : [client]));
  });
