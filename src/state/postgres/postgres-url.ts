/** Address of a server. */
export interface PostgresHost {
  readonly host: string;
  readonly port: number;
}

/**
 * How a connection is protected, in the words of libpq.
 *
 * - `disable`: without TLS.
 * - `require`: TLS, but the certificate is not checked: an attacker on the way can read and change everything.
 * - `verify-ca`: the certificate has to be from a trusted CA; its name is not checked.
 * - `verify-full`: as `verify-ca`, and the certificate has to carry the name of the host.
 */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** The parts of a PostgreSQL URL. */
export interface PostgresTarget {
  /** Kind and address, without credentials. */
  readonly description: string;
  /** Of several servers, the one that takes writes is used. */
  readonly hosts: readonly PostgresHost[];
  readonly database: string | undefined;
  /** The database schema that holds the tables. Default `signet`. */
  readonly schema: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** `undefined`: `disable` for hosts of this machine, `verify-full` for others. */
  readonly sslMode: SslMode | undefined;
  /** PEM files. */
  readonly sslFiles: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

const URL_PARTS =
  /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\?([^@#]*))?$/;
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const SCHEMA = /^[a-z_][\da-z_]{0,47}$/;
const LOCAL = /^(?:localhost|127\.[\d.]+|::1)$/;
const PARAMETERS = ['schema', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];
const SSL_MODES: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'];
const STANDARD_SCHEMA = 'signet';

/**
 * Reads `postgres://[user[:password]@]host[:port][,host[:port]…][/database][?parameters]`, or the same with
 * `postgresql:`. Parameters: `schema`, `sslmode`, `sslrootcert`, `sslcert` and `sslkey`.
 *
 * @throws Error that says what is wrong; its message holds no part of what may be a password
 */
export function parsePostgresUrl(url: string): PostgresTarget {
  const parts = URL_PARTS.exec(url);
  // The message quotes no part of the URL: an unescaped "#" or "/" in a password makes its rest look like the host.
  if (parts === null)
    throw new Error(
      'it is no URL of PostgreSQL; in passwords, "#" is written %23, "/" %2F, "?" %3F, "@" %40 and "%" %25',
    );
  const [, userInfo = '', authority = '', database = '', query = ''] = parts;
  const [user = '', ...password] = userInfo.split(':');
  const parameters = parametersOf(query);
  const schema = parameters.get('schema') ?? STANDARD_SCHEMA;
  if (!SCHEMA.test(schema))
    throw new Error('the schema has to be a lower-case name of at most 48 letters, digits and _');
  const shown = schema === STANDARD_SCHEMA ? '' : `?schema=${schema}`;
  return {
    description: `postgres://${authority}${database === '' ? '' : `/${database}`}${shown}`,
    hosts: authority.split(',').map(hostOf),
    database: database === '' ? undefined : decode(database),
    schema,
    user: user === '' ? undefined : decode(user),
    password: password.length === 0 ? undefined : decode(password.join(':')),
    sslMode: sslModeOf(parameters),
    sslFiles: {
      ca: parameters.get('sslrootcert'),
      cert: parameters.get('sslcert'),
      key: parameters.get('sslkey'),
    },
  };
}

/** Returns the TLS mode for one of the hosts. */
export const sslModeFor = ({ sslMode }: PostgresTarget, { host }: PostgresHost): SslMode =>
  sslMode ?? (LOCAL.test(host) ? 'disable' : 'verify-full');

function hostOf(text: string): PostgresHost {
  const [, host, port = '5432'] = HOST.exec(text) ?? [];
  // The message does not quote the text, which may be the beginning of a password.
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new Error(
      'a host of the URL is none: host or host:port is expected, [address] for IPv6, a comma between several',
    );
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', ...rest] = part.split('=');
    const value = decode(rest.join('='));
    if (!PARAMETERS.includes(name) || parameters.has(name) || value === '')
      throw new Error(
        `a parameter of the URL is unknown, empty, or there twice; known are ${PARAMETERS.join(', ')}`,
      );
    parameters.set(name, value);
  }
  if (parameters.has('sslcert') !== parameters.has('sslkey'))
    throw new Error('sslcert and sslkey need each other');
  return parameters;
}

function sslModeOf(parameters: ReadonlyMap<string, string>): SslMode | undefined {
  const files = ['sslrootcert', 'sslcert', 'sslkey'].some((name) => parameters.has(name));
  const mode = parameters.get('sslmode') ?? (files ? 'verify-full' : undefined);
  // Not "allow" and "prefer": an attacker on the way can make them go on without TLS.
  if (mode !== undefined && !SSL_MODES.includes(mode))
    throw new Error(`sslmode has to be one of ${SSL_MODES.join(', ')}`);
  if (files && mode === 'disable') throw new Error('sslmode=disable uses no certificates');
  if (mode === 'require' && parameters.has('sslrootcert'))
    throw new Error('sslmode=require checks no certificate; with sslrootcert, write verify-full');
  return mode as SslMode | undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('the URL holds a "%" that is not followed by two hexadecimal digits');
  }
}
