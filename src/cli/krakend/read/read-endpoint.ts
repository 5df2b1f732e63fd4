import { NEVER_FORWARDED } from '../../../core/headers/index.js';
import { isJsonObject } from '../../../core/json/index.js';
import { oneLine } from '../../../core/text/index.js';
import type { Findings } from '../findings.js';
import type { Encoding, Endpoint, RateLimit, Validator } from '../krakend-config.js';
import { claimCondition } from './cel.js';
import { Fields } from './fields.js';
import { components, OptionTeller } from './option-teller.js';
import { readSigner, readValidator } from './read-components.js';

/** Settings of the service for all endpoints. */
interface ServiceDefaults {
  readonly hosts: readonly string[];
  readonly encoding: string | undefined;
  /** Protections of all endpoints that are not taken over. */
  readonly refusals: readonly string[];
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** Routes that the gateway itself has, except `POST /token` and `GET /private/custom`, which are taken over. */
const OWN_ROUTES =
  /^(?:POST \/(?:token\/(?:revoke|introspect)|logout|admin\/revocations|_explain)|GET \/(?:health\/(?:live|ready)|docs(?:-json)?|sessions|_explain|_pages\/.*|\.well-known\/[^{}]*))$/;

/** Reads one endpoint. What cannot be taken over becomes a finding, and does not affect other endpoints. */
export class EndpointReader {
  private readonly problems: string[] = [];
  private readonly refusals: string[];
  private readonly fields: Fields;
  private readonly label: string;
  private readonly tell: OptionTeller;
  private readonly conditions: string[] = [];

  constructor(
    object: unknown,
    index: number,
    private readonly service: ServiceDefaults,
    private readonly findings: Findings,
  ) {
    this.fields = new Fields(object, `endpoint ${index + 1}`, this.problems);
    const path = this.fields.text('endpoint') ?? '';
    const method = (this.fields.text('method') ?? 'GET').toUpperCase();
    this.label = path === '' ? `endpoint ${index + 1}` : `${method} ${path}`;
    this.refusals = [...service.refusals];
    this.tell = new OptionTeller(findings, this.refusals, this.label);
  }

  /**
   * @param taken shapes of the previous routes; that of this route is added
   * @returns `undefined` when the endpoint is left out
   */
  endpoint(taken: Set<string>): Endpoint | undefined {
    const { fields, label, problems } = this;
    const path = fields.text('endpoint') ?? '';
    const method = (fields.text('method') ?? 'GET').toUpperCase();
    const extra = components(fields.raw('extra_config'), 'extra_config', problems);
    const member = (name: string): Fields | undefined => {
      const value = extra.raw(name);
      return value === undefined ? undefined : new Fields(value, name, problems);
    };
    const signer = member('auth/signer');
    const validator = member('auth/validator');
    const ratelimit = member('qos/ratelimit/router');
    this.assertRoute(method, path, taken);
    const read = validator === undefined ? undefined : readValidator(validator, problems);
    this.expressions(extra.raw('validation/cel'), read, 'validation/cel');
    this.policies(extra.raw('security/policies'), read);
    const { backend, encoding } = this.backend(method, read);
    const inputHeaders = this.either('input_headers', 'headers_to_pass');
    const inputQueryStrings = this.either('input_query_strings', 'querystring_params');
    if (inputHeaders.includes('*'))
      this.tellDiffers(
        `input_headers: "*" forwarded everything; now it is ${EVERYTHING.join(', ')}, Authorization and cookies without tokens, so add what else the backend needs`,
      );
    if (inputQueryStrings.includes('*'))
      this.tellDiffers(
        'input_query_strings: "*" forwarded everything; now it is nothing, so name what the backend needs',
      );
    const rateLimit = ratelimit && this.rateLimit(ratelimit);
    const result: Endpoint = {
      label,
      method,
      path,
      ...forwarding(inputHeaders, read),
      inputQueryStrings: inputQueryStrings.filter((name) => name !== '*'),
      timeoutMs: fields.milliseconds('timeout'),
      encoding,
      backend,
      signer: signer === undefined ? undefined : readSigner(signer),
      validator: read,
      conditions: this.conditions,
      rateLimit,
      refusals: this.refusals,
    };
    if (signer !== undefined) this.tell.rest(signer, 'auth/signer');
    if (validator !== undefined) this.tell.rest(validator, 'auth/validator');
    if (ratelimit !== undefined) this.tell.rest(ratelimit, 'qos/ratelimit/router');
    problems.push(
      ...this.tell.rest(extra, 'endpoint extra_config'),
      ...this.tell.rest(fields, 'endpoint'),
    );
    for (const problem of problems) this.findings.add('leftOut', problem, label);
    if (problems.length > 0) return undefined;
    for (const refusal of this.refusals) this.findings.add('refused', refusal, label);
    return result;
  }

  private assertRoute(method: string, path: string, taken: Set<string>): void {
    const { problems } = this;
    if (!METHODS.includes(method)) problems.push(`method ${method} cannot be taken over`);
    if (!/^\/(?:[\w.~,=@%-]|\{[A-Za-z_][\w-]*\}|\/)*(?:(?<=\/)\*)?$/.test(path))
      problems.push('the path cannot be taken over');
    if (path.startsWith('/__')) problems.push('paths that begin with /__ are those of KrakenD');
    const parameters = [...path.matchAll(/\{([\w-]+)\}/g)].map(([, name]) => name);
    if (new Set(parameters).size < parameters.length)
      problems.push('the path names a parameter twice');
    if (OWN_ROUTES.test(`${method} ${path}`)) problems.push('the gateway has this route itself');
    // Express ignores case, and a slash at the end.
    const shape =
      `${method} ${path.replaceAll(/\{[^{}]*\}/g, '{}').replace(/(?<=.)\/$/, '')}`.toLowerCase();
    if (taken.has(shape)) problems.push('another endpoint has the same method and path');
    taken.add(shape);
  }

  private backend(
    method: string,
    validator: Validator | undefined,
  ): { backend: Endpoint['backend']; encoding: Encoding } {
    const list = this.fields.objects('backend');
    const [first = {}, ...more] = list;
    if (list.length === 0) this.problems.push('it has no backend');
    const fields = new Fields(first, 'backend', this.problems);
    if (more.length > 0)
      this.tellDiffers(
        `it merges ${more.length + 1} backends; only the first is asked, so ask the others in the controller`,
      );
    // Options of the other backends, e.g. `deny`, are not read, since these backends are not called.
    const named = fields.texts('host');
    const hosts = (named.length > 0 ? named : this.service.hosts).map((host) => this.host(host));
    if (hosts.length === 0) this.problems.push('its backend has no host');
    if (/^dns/i.test(fields.text('sd') ?? ''))
      this.findings.add('todo', 'sd: hosts were found by DNS SRV; name the hosts', this.label);
    fields.raw('sd_scheme');
    const pattern = fields.text('url_pattern') ?? '';
    const path = pattern.startsWith('/') ? pattern : `/${pattern}`;
    if (!/^\/[!-~]*$/.test(path) || /[`\\#]|\$\{|\/\.\.?(?=[/?]|$)/.test(path))
      this.problems.push(`the url_pattern '${pattern}' cannot be taken over`);
    if (/\{resp\d+_/.test(path))
      this.problems.push('its url_pattern needs the answer of another backend');
    const extra = components(
      fields.raw('extra_config'),
      'extra_config of the backend',
      this.problems,
    );
    this.expressions(extra.raw('validation/cel'), validator, 'validation/cel of the backend');
    extra.raw('backend/http');
    const backend = { hosts, path, method: (fields.text('method') ?? method).toUpperCase() };
    if (backend.method !== method && !METHODS.includes(backend.method))
      this.problems.push(`method ${backend.method} of the backend cannot be taken over`);
    const encoding = this.encoding(fields.text('encoding'));
    this.problems.push(
      ...this.tell.rest(extra, 'backend extra_config'),
      ...this.tell.rest(fields, 'backend'),
    );
    return { backend, encoding };
  }

  private host(host: string): string {
    const url = URL.parse(host.includes('://') ? host : `http://${host}`);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
      this.problems.push('a host of the backend is not an http:// or https:// address');
    return url === null ? '' : url.href.replace(/\/$/, '');
  }

  private encoding(ofBackend: string | undefined): Encoding {
    const ofEndpoint = this.fields.text('output_encoding') ?? this.service.encoding ?? 'json';
    if (ofEndpoint === 'no-op' || ofBackend === 'no-op') return 'no-op';
    if (ofEndpoint === 'string' || ofBackend === 'string') return 'string';
    const other = [ofEndpoint, ofBackend ?? 'json'].find(
      (name) => !['json', 'safejson', 'fast-json', 'json-collection'].includes(name),
    );
    if (other === undefined) return ofBackend === 'safejson' ? 'safejson' : 'json';
    this.tellDiffers(`encoding ${other}: the answer is passed on as it is`);
    return 'no-op';
  }

  /** Takes over conditions, each of which has to be true. If one cannot be taken over, the route is refused. */
  private expressions(value: unknown, validator: Validator | undefined, where: string): void {
    if (value === undefined) return;
    const list = Array.isArray(value) ? (value as unknown[]) : [undefined];
    for (const item of list)
      this.condition(
        isJsonObject(item) ? (item as { check_expr?: unknown }).check_expr : undefined,
        validator,
        where,
      );
  }

  private policies(value: unknown, validator: Validator | undefined): void {
    if (value === undefined) return;
    const scopes = isJsonObject(value) ? Object.entries(value) : [];
    for (const [name, policies] of scopes)
      if (name === 'jwt' && isJsonObject(policies)) {
        const { policies: list } = policies as { policies?: unknown };
        for (const policy of Array.isArray(list) ? (list as unknown[]) : [undefined])
          this.condition(policy, validator, 'security/policies');
      } else if (!/^[@$]|^(?:debug|auto_join_policies|disable_macros)$/.test(name))
        this.refusals.push(`security/policies: those of ${name} are not taken over`);
    if (scopes.length === 0) this.refusals.push('security/policies: it cannot be read');
  }

  private condition(value: unknown, validator: Validator | undefined, where: string): void {
    const condition = typeof value === 'string' ? claimCondition(value) : undefined;
    if (condition !== undefined && validator !== undefined) {
      this.conditions.push(condition);
      this.tellDiffers(
        `${where}: conditions on claims are part of validate; a token that fails them is 403, not 401`,
      );
    } else if (typeof value === 'string')
      this.refusals.push(
        `${where}: the condition ${oneLine(value).slice(0, 200)} is not taken over`,
      );
    else this.refusals.push(`${where}: a condition cannot be read`);
  }

  private rateLimit(fields: Fields): RateLimit | undefined {
    const limit = fields.number('client_max_rate');
    const every = fields.milliseconds('every') ?? 1000;
    const strategy = fields.text('strategy');
    fields.raw('key');
    if (limit === undefined || limit <= 0) return undefined;
    if (strategy !== undefined && strategy !== 'ip') {
      this.tellDiffers(
        `qos/ratelimit/router: clients were told apart by ${strategy}; now they are by address`,
      );
    }
    // A rate below one per window becomes one per longer window.
    const scale = limit < 1 ? 1 / limit : 1;
    return {
      limit: Math.max(1, Math.floor(limit * scale)),
      ttlMs: Math.max(1, Math.round(every * scale)),
    };
  }

  /** Reads a list by its current name and by that of version 1. It may be a single `*`. */
  private either(name: string, old: string): readonly string[] {
    return [name, old].flatMap((one) =>
      this.fields.raw(one) === '*' ? ['*'] : this.fields.texts(one),
    );
  }

  private tellDiffers(matter: string): void {
    this.findings.add('differs', matter, this.label);
  }
}

/** Headers in place of `*`: backends commonly use them, and they are harmless. */
const EVERYTHING = ['accept', 'accept-language', 'user-agent'];

/**
 * Names that are not listed: `*` and cookies are handled elsewhere, and the gateway writes the other headers itself.
 */
const NEVER = /^(?:\*|cookie|x-forwarded-(?:for|host|proto)|x-request-id)$/;
const HEADER_NAME = /^[\w!#$%&'+.^`|~-]+$/;

/** Returns which of the client's headers reach the backend. */
function forwarding(
  names: readonly string[],
  validator: Validator | undefined,
): Pick<Endpoint, 'inputHeaders' | 'forwardCookies' | 'forwardToken'> {
  const listed = new Set(names.map((name) => name.toLowerCase()));
  const has = (name: string): boolean => listed.has('*') || listed.has(name);
  const tokenHeader = validator && (validator.authHeaderName ?? 'Authorization').toLowerCase();
  // On an open route, `Authorization` is a header like others.
  const others = listed.has('*') ? [...EVERYTHING, 'authorization'] : [];
  return {
    inputHeaders: [...new Set([...listed, ...others])].filter(
      (name) =>
        HEADER_NAME.test(name) &&
        !NEVER.test(name) &&
        !NEVER_FORWARDED.has(name) &&
        name !== tokenHeader,
    ),
    forwardCookies: has('cookie'),
    forwardToken: tokenHeader !== undefined && has(tokenHeader),
  };
}
