import { isDeeperThan, isJsonObject } from '../../core/json/index.js';
import { CommandError } from '../command.error.js';
import { Fields } from './fields.js';
import type { Endpoint, KrakendConfig } from './krakend-config.js';
import { readRevoker, readSigner, readValidator } from './read-components.js';

/** Names of a component, old and new. */
const NAMESPACES = {
  signer: ['auth/signer', 'github.com/devopsfaith/krakend-jose/signer'],
  validator: ['auth/validator', 'github.com/devopsfaith/krakend-jose/validator'],
  revoker: ['auth/revoker', 'github.com/devopsfaith/bloomfilter'],
} as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const MAX_NESTING = 100;

/**
 * Understands a KrakenD configuration (version 2 or 3, rendered, as JSON).
 *
 * @param text contents of the file
 * @param source what messages call it
 * @throws CommandError with everything that cannot be understood
 */
export function readConfig(text: string, source: string): KrakendConfig {
  const root = new Reader(parse(text, source));
  const config = root.config();
  if (root.problems.length > 0) throw new CommandError(root.problems);
  return config;
}

function parse(text: string, source: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(
      text.includes('{{')
        ? `${source} is a template; render it first: FC_ENABLE=1 FC_OUT=rendered.json krakend check -c ${source}`
        : `${source} is not JSON`,
    );
  }
  if (!isJsonObject(value)) throw new CommandError(`${source} is not a JSON object`);
  if (isDeeperThan(MAX_NESTING, value))
    throw new CommandError(`${source} nests deeper than ${MAX_NESTING} levels`);
  return value;
}

class Reader {
  readonly problems: string[] = [];
  private readonly notes: string[] = [];
  private readonly unknown: string[] = [];
  private readonly service: Fields;
  private readonly hosts: readonly string[];

  constructor(object: object) {
    this.service = new Fields(object, 'the configuration', this.problems);
    this.hosts = this.service.texts('host');
  }

  config(): KrakendConfig {
    const { service } = this;
    for (const name of ['version', 'name', 'output_encoding']) service.raw(name);
    const extra = this.fields(service.raw('extra_config'), 'extra_config of the service');
    const shared = this.component(extra, 'validator');
    const revoker = this.component(extra, 'revoker');
    const config: KrakendConfig = {
      port: service.whole('port'),
      timeoutMs: service.milliseconds('timeout'),
      sharedCacheDuration: shared?.whole('shared_cache_duration'),
      revoker: revoker === undefined ? undefined : readRevoker(revoker),
      endpoints: service.objects('endpoints').flatMap((object, index) => {
        const endpoint = this.endpoint(object, index);
        return endpoint === undefined ? [] : [endpoint];
      }),
      notes: this.notes,
      unknown: this.unknown,
    };
    for (const fields of [shared, revoker]) this.nameUnknown(fields);
    this.nameRest(extra, 'component');
    this.nameRest(service, 'option');
    if (service.raw('endpoints') === undefined)
      this.problems.push("the configuration has no 'endpoints': is it a KrakenD configuration?");
    return config;
  }

  private endpoint(object: object, index: number): Endpoint | undefined {
    const path = (object as { endpoint?: unknown }).endpoint;
    const fields = this.fields(object, `endpoint ${typeof path === 'string' ? path : index + 1}`);
    const at = fields.text('endpoint') ?? '';
    const method = (fields.text('method') ?? 'GET').toUpperCase();
    const label = `${method} ${at}`;
    if (!/^\/[\w./{}:~-]*$/.test(at))
      this.problems.push(`${fields.where}: 'endpoint' is not a path that can be taken over`);
    if (!METHODS.includes(method))
      this.problems.push(`${fields.where}: method is not one of ${METHODS.join(', ')}`);
    const extra = this.fields(fields.raw('extra_config'), `extra_config of ${label}`);
    const signer = this.component(extra, 'signer');
    const validator = this.component(extra, 'validator');
    for (const name of ['output_encoding', 'concurrent_calls']) fields.raw(name);
    const backend = this.backend(fields, label, method);
    const endpoint: Endpoint = {
      label,
      method,
      path: at,
      inputHeaders: this.eitherName(fields, 'input_headers', 'headers_to_pass'),
      inputQueryStrings: this.eitherName(fields, 'input_query_strings', 'querystring_params'),
      timeoutMs: fields.milliseconds('timeout'),
      backend: backend ?? { host: '', path: '/', method },
      signer: signer === undefined ? undefined : readSigner(signer),
      validator: validator === undefined ? undefined : readValidator(validator, this.problems),
    };
    if (validator?.raw('propagate_claims_preserve_array') === true)
      this.notes.push(`${label}: propagate_claims_preserve_array: lists reach the backend joined`);
    const suites = [signer, validator].map((component) => component?.raw('cipher_suites'));
    if (suites.some((value) => value !== undefined))
      this.notes.push(`${label}: cipher_suites: Node's own list is used`);
    for (const component of [signer, validator]) this.nameUnknown(component);
    this.nameRest(extra, 'component');
    this.nameRest(fields, 'option');
    return backend === undefined ? undefined : endpoint;
  }

  private backend(fields: Fields, label: string, method: string): Endpoint['backend'] | undefined {
    const [first, ...more] = fields.objects('backend');
    if (first === undefined) {
      this.notes.push(`${label}: it has no backend, so it is left out`);
      return undefined;
    }
    if (more.length > 0)
      this.notes.push(
        `${label}: it merges ${more.length + 1} backends; only the first is taken over, call the others in the controller`,
      );
    const backend = this.fields(first, `backend of ${label}`);
    const [host = this.hosts[0] ?? '', ...hosts] = backend.texts('host');
    for (const name of ['encoding', 'disable_host_sanitize']) backend.raw(name);
    if (hosts.length > 0)
      this.notes.push(
        `${label}: it balances ${hosts.length + 1} hosts; only ${host} is taken over`,
      );
    const path = backend.text('url_pattern') ?? '/';
    const url = URL.parse(host.includes('://') ? host : `http://${host}`);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || host === '')
      this.problems.push(`${backend.where}: 'host' is not an http:// or https:// address`);
    if (!/^\/[!-~]*$/.test(path) || /[`\\]|\$\{/.test(path))
      this.problems.push(`${backend.where}: 'url_pattern' is not a path that can be taken over`);
    const call = {
      host: url === null ? '' : url.href.replace(/\/$/, ''),
      path,
      method: (backend.text('method') ?? method).toUpperCase(),
    };
    this.nameRest(
      this.fields(backend.raw('extra_config'), `extra_config of ${backend.where}`),
      'component',
    );
    this.nameRest(backend, 'option');
    return call;
  }

  private component(extra: Fields, name: keyof typeof NAMESPACES): Fields | undefined {
    const found = NAMESPACES[name].flatMap((namespace) => {
      const value = extra.raw(namespace);
      return value === undefined ? [] : [this.fields(value, `${namespace} in ${extra.where}`)];
    });
    if (found.length > 1) this.problems.push(`${extra.where}: there are two components '${name}'`);
    return found[0];
  }

  /** The name of today, or that of version 1. */
  private eitherName(fields: Fields, name: string, old: string): readonly string[] {
    return [...fields.texts(name), ...fields.texts(old)];
  }

  private fields(value: unknown, where: string): Fields {
    return new Fields(value, where, this.problems);
  }

  private nameUnknown(component: Fields | undefined): void {
    for (const name of component?.unread() ?? [])
      this.unknown.push(`${component?.where}: '${name}'`);
  }

  private nameRest(fields: Fields, what: 'component' | 'option'): void {
    for (const name of fields.unread())
      this.notes.push(`${fields.where}: the ${what} '${name}' is not taken over`);
  }
}
