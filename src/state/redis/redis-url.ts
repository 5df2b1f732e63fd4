/** Address of a server. */
export interface Host {
  readonly host: string;
  readonly port: number;
}

/** A user of a server; without `username`, the default user. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** Files for TLS, and the name that the certificates of the servers have to carry. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly name?: string;
}

/** The parts of a Redis URL. */
export interface RedisTarget {
  /** `server`: the server of the URL is used; `sentinel`, `cluster`: the server that the hosts of the URL name. */
  readonly kind: 'server' | 'sentinel' | 'cluster';
  /** Kind and address, without credentials. */
  readonly description: string;
  readonly hosts: readonly Host[];
  /** Name of the primary at the Sentinels; empty for other kinds. */
  readonly service: string;
  readonly database: number;
  readonly credentials: Credentials;
  /** Credentials for the Sentinels, which have users of their own. */
  readonly sentinelCredentials: Credentials;
  /** `undefined`: without TLS. */
  readonly tls: TlsFiles | undefined;
}

const URL_PARTS =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^@?#]*))?(?:\?([^@#]*))?$/;
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const TLS_PARAMETERS = ['tls_ca', 'tls_cert', 'tls_key', 'tls_name'];
const SENTINEL_PARAMETERS = ['sentinel_username', 'sentinel_password'];

/**
 * Reads `redis://[user[:password]@]host[:port][/database]`, the same with `rediss:` for TLS,
 * `redis+sentinel://…host1:port,host2:port/name[/database]` and `redis+cluster://…host1:port,host2:port`.
 * Parameters: `tls_ca`, `tls_cert`, `tls_key` (PEM files), `tls_name`, `sentinel_username` and
 * `sentinel_password`.
 *
 * @throws Error that says what is wrong; its message holds no part of what may be a password
 */
export function parseRedisUrl(url: string): RedisTarget {
  const parts = URL_PARTS.exec(url);
  // The message quotes no part of the URL: an unescaped "#" or "/" in a password makes its rest look like the host.
  if (parts === null)
    throw new Error(
      'it is no URL of Redis; in passwords, "#" is written %23, "/" %2F, "?" %3F, "@" %40 and "%" %25',
    );
  const [, scheme, kind = 'server', userInfo = '', authority = '', path = '', query = ''] = parts;
  const target = kind as RedisTarget['kind'];
  const hosts = authority.split(',').map((text) => hostOf(text, target));
  if (target === 'server' && hosts.length > 1)
    throw new Error('several servers need redis+sentinel:// or redis+cluster://');
  const [service, database] = pathOf(path, target);
  const parameters = parametersOf(query, scheme === 'rediss', target);
  return {
    kind: target,
    description: `${url.slice(0, url.indexOf(':'))}://${authority}${path === '' ? '' : `/${path}`}`,
    hosts,
    service,
    database,
    credentials: credentialsOf(userInfo),
    sentinelCredentials: {
      username: parameters.get('sentinel_username'),
      password: parameters.get('sentinel_password'),
    },
    tls:
      scheme === 'rediss'
        ? {
            ca: parameters.get('tls_ca'),
            cert: parameters.get('tls_cert'),
            key: parameters.get('tls_key'),
            name: parameters.get('tls_name'),
          }
        : undefined,
  };
}

function hostOf(text: string, kind: RedisTarget['kind']): Host {
  const [, host, port] = HOST.exec(text) ?? [];
  const number = Number(port ?? (kind === 'sentinel' ? 26379 : 6379));
  // The message does not quote the text, which may be the beginning of a password.
  if (host === undefined || number < 1 || number > 65_535)
    throw new Error(
      'a host of the URL is none: host or host:port is expected, [address] for IPv6, a comma between several',
    );
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: number };
}

/** Reads the name of the primary and the number of the database. */
function pathOf(path: string, kind: RedisTarget['kind']): [service: string, database: number] {
  const segments = path.split('/');
  const service = kind === 'sentinel' ? decode(segments.shift() ?? '') : '';
  if (kind === 'sentinel' && service === '')
    throw new Error('the name of the primary is missing: redis+sentinel://host:port/name');
  const [database = '', ...rest] = segments;
  if (rest.length > 0 || !/^\d{0,9}$/.test(database))
    throw new Error('the database of the URL has to be a number');
  if (kind === 'cluster' && Number(database) !== 0)
    throw new Error('a Redis Cluster has no database but 0');
  return [service, Number(database)];
}

function credentialsOf(userInfo: string): Credentials {
  const [username = '', ...password] = userInfo.split(':');
  return {
    username: username === '' ? undefined : decode(username),
    password: password.length === 0 ? undefined : decode(password.join(':')),
  };
}

function parametersOf(
  query: string,
  tls: boolean,
  kind: RedisTarget['kind'],
): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const known = [
    ...(tls ? TLS_PARAMETERS : []),
    ...(kind === 'sentinel' ? SENTINEL_PARAMETERS : []),
  ];
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', ...value] = part.split('=');
    if (TLS_PARAMETERS.includes(name) && !tls) throw new Error(`${name} needs rediss://`);
    if (!known.includes(name) || parameters.has(name) || value.join('=') === '')
      throw new Error(
        `a parameter of the URL is unknown, empty, or there twice; known are ${known.join(', ') || 'none'}`,
      );
    parameters.set(name, decode(value.join('=')));
  }
  if (parameters.has('tls_cert') !== parameters.has('tls_key'))
    throw new Error('tls_cert and tls_key need each other');
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('the URL holds a "%" that is not followed by two hexadecimal digits');
  }
}
