import type { Endpoint, KrakendConfig, Validator } from '../krakend-config.js';
import { CLAIM_FUNCTIONS } from '../read/cel.js';
import type { RouteMapping } from '../route-mapping.js';
import { unique } from './environment-of.js';
import {
  Code,
  inComment,
  joinPath,
  nestPath,
  parameterName,
  parameters,
  quoteLiteral,
  REST,
  toLiteral,
  variable,
} from './literals.js';
import { accessOptions, signOptions, validatorOptions } from './route-options.js';

/** Returns TypeScript with a controller per endpoint, and a module for them; `undefined` when none is needed. */
export function controllersOf(config: KrakendConfig, routes: RouteMapping): string | undefined {
  const { others } = routes;
  if (others.length === 0) return undefined;
  const names = classNames(others);
  const validators = new SharedValidators(routes);
  const controllers = others.map((endpoint) =>
    controllerText(endpoint, routes, validators, names.get(endpoint) ?? ''),
  );
  const backends = new Backends(config);
  const modules = runs(others, (endpoint) => backends.nameOf(endpoint)).map((endpoints, index) => ({
    name: `Imported${index + 1}Module`,
    text: moduleText(
      `Imported${index + 1}Module`,
      backends.nameOf(endpoints[0]),
      endpoints.map((endpoint) => names.get(endpoint) ?? ''),
    ),
  }));
  const body = [
    ...validators.constants(),
    ...controllers,
    ...backends.constants(),
    ...modules.map(({ text }) => text),
    `/** Add it to the imports of the application's module. */\n@Module({ imports: [${modules.map(({ name }) => name).join(', ')}] })\nexport class ImportedModule {}\n`,
  ].join('\n');
  const helpers = helpersFor(body);
  return `${importsOf(`${helpers}${body}`)}\n${helpers}${body}`;
}

/** Options that several routes share. They are written once, as constants. */
class SharedValidators {
  private readonly names = new Map<string, string>();

  constructor(private readonly routes: RouteMapping) {
    const literals = routes.others.flatMap(({ validator }) =>
      validator === undefined ? [] : [toLiteral(validatorOptions(validator, routes))],
    );
    const shared = [...new Set(literals)].filter(
      (literal) => literals.filter((other) => other === literal).length > 1,
    );
    for (const [index, literal] of shared.entries())
      this.names.set(literal, shared.length === 1 ? 'VALIDATOR' : `VALIDATOR_${index + 1}`);
  }

  /** Returns the options of one route. */
  optionsOf(validator: Validator, conditions: readonly string[]): string {
    const base = validatorOptions(validator, this.routes);
    const own = {
      ...accessOptions(validator),
      validate:
        conditions.length === 0
          ? undefined
          : new Code(`(claims) => mustHold(${conditions.map(bracketed).join(' && ')})`),
    };
    const name = this.names.get(toLiteral(base));
    if (name === undefined) return toLiteral({ ...own, ...base });
    const rest = toLiteral(own);
    return rest === '{}' ? name : rest.replace(/^\{/, `{ ...${name},`);
  }

  constants(): string[] {
    return [...this.names].map(
      ([literal, name]) => `const ${name}: RequireJwtOptions = ${literal};\n`,
    );
  }
}

const bracketed = (condition: string): string =>
  condition.includes(' || ') ? `(${condition})` : condition;

const HELPERS: Readonly<Record<string, string>> = {
  ...CLAIM_FUNCTIONS,
  mustHold: `/** Refuses a token whose claims do not fulfil what the route asks for. */
function mustHold(condition: boolean): void {
  if (!condition)
    throw new GatewayException({
      status: 403,
      error: 'insufficient_scope',
      code: 'claim_invalid',
      description: 'The claims of the token do not allow this.',
    });
}
`,
  bodyOf: `/** The body of a request as it came; where only a parser's result is left, that as JSON. */
function bodyOf(request: IncomingMessage & { body?: unknown; rawBody?: unknown }) {
  const { body, rawBody } = request;
  const bytes = [body, rawBody].find((value) => Buffer.isBuffer(value));
  if (bytes !== undefined) return { body: bytes, contentType: request.headers['content-type'] };
  return body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
}
`,
  NotImportedGuard: `/**
 * Refuses every request of routes that were protected by something that was not taken over. Decide what
 * protects a route now, then take its line with this guard out.
 */
@Injectable()
class NotImportedGuard implements CanActivate {
  canActivate(): boolean {
    throw new GatewayException({
      status: 403,
      error: 'access_denied',
      code: 'not_imported',
      description: 'This route is not open yet.',
    });
  }
}
`,
};

/** Returns the helpers that are used, and those that they use. */
function helpersFor(body: string): string {
  const used = new Set<string>();
  const add = (text: string): void => {
    for (const [name, helper] of Object.entries(HELPERS))
      if (!used.has(name) && new RegExp(`\\b${name}\\b`).test(text)) {
        used.add(name);
        add(helper);
      }
  };
  add(body);
  return Object.entries(HELPERS)
    .filter(([name]) => used.has(name))
    .map(([, helper]) => `${helper}\n`)
    .join('');
}

const NEST = [
  'Controller',
  'Delete',
  'Get',
  'Header',
  'HttpCode',
  'Injectable',
  'Module',
  'Param',
  'Patch',
  'Post',
  'Put',
  'Req',
  'Res',
  'UseGuards',
];

function importsOf(body: string): string {
  const decorators = (names: readonly string[]): string[] =>
    names.filter((name) => body.includes(`@${name}(`));
  const mentioned = (names: readonly string[], prefix = ''): string[] =>
    names.filter((name) => new RegExp(`\\b${name}\\b`).test(body)).map((name) => prefix + name);
  const file = mentioned(['readFileSync']);
  const lists: [string, readonly string[]][] = [
    ['node:fs', file],
    [
      'node:http',
      [...mentioned(['IncomingMessage'], 'type '), ...mentioned(['ServerResponse'], 'type ')],
    ],
    ['@nestjs/common', [...decorators(NEST), ...mentioned(['CanActivate'], 'type ')]],
    [
      'nest-signet',
      [
        'BackendClient',
        'BackendModule',
        ...decorators(['Claims']),
        ...mentioned(['GatewayException']),
        ...mentioned(['pathSegment']),
        ...decorators(['Public', 'RequireJwt', 'SignFields']),
        ...mentioned(['RequireJwtOptions', 'VerifiedClaims'], 'type '),
      ],
    ],
    ['nest-signet/throttle', decorators(['Throttled'])],
  ];
  return lists
    .filter(([, names]) => names.length > 0)
    .map(([from, names]) => importText(from, names))
    .join('');
}

function importText(from: string, names: readonly string[]): string {
  const types = names.every((name) => name.startsWith('type '));
  const list = types ? names.map((name) => name.slice('type '.length)) : names;
  return `import ${types ? 'type ' : ''}{ ${list.join(', ')} } from '${from}';\n`;
}

/** The backends of all routes. Each has its hosts and its lists of headers and parameters, and a module of its own. */
class Backends {
  private readonly names = new Map<string, string>();

  constructor(private readonly config: KrakendConfig) {}

  nameOf(endpoint: Endpoint): string {
    const options = toLiteral(backendOptions(endpoint, this.config));
    const name = this.names.get(options) ?? `backend${this.names.size + 1}`;
    this.names.set(options, name);
    return name;
  }

  constants(): string[] {
    return [...this.names].map(
      ([options, name]) => `const ${name} = BackendModule.forRoot(${options});\n`,
    );
  }
}

/**
 * Groups neighbouring endpoints with the same backend. Their order is kept, since all routes of a module are registered
 * before those of the next module.
 */
function runs(
  endpoints: readonly Endpoint[],
  nameOf: (endpoint: Endpoint) => string,
): [Endpoint, ...Endpoint[]][] {
  const result: [Endpoint, ...Endpoint[]][] = [];
  for (const endpoint of endpoints) {
    const last = result.at(-1);
    if (last !== undefined && nameOf(last[0]) === nameOf(endpoint)) last.push(endpoint);
    else result.push([endpoint]);
  }
  return result;
}

function moduleText(name: string, backend: string, controllers: readonly string[]): string {
  return `@Module({
  imports: [${backend}],
  controllers: [${controllers.join(', ')}],
})
class ${name} {}
`;
}

/** Returns the headers of the client that reach the backend, without those that claims are written to. */
function withoutClaims(
  names: readonly string[],
  validator: Validator | undefined,
): readonly string[] {
  const written = (validator?.propagateClaims ?? []).map(([, header]) => header.toLowerCase());
  return unique(names).filter((name) => !written.includes(name));
}

const backendOptions = (endpoint: Endpoint, config: KrakendConfig) => ({
  host: endpoint.backend.hosts.length === 1 ? endpoint.backend.hosts[0] : endpoint.backend.hosts,
  timeoutMs: Math.max(1, Math.round(endpoint.timeoutMs ?? config.timeoutMs ?? 2000)),
  inputHeaders: withoutClaims(endpoint.inputHeaders, endpoint.validator),
  inputCookies: endpoint.forwardCookies ? ['*'] : undefined,
  inputQueryStrings: endpoint.inputQueryStrings,
  // KrakenD ignores the media type that a backend declares.
  jsonTypes: 'any',
  isGlobal: false,
});

function controllerText(
  endpoint: Endpoint,
  routes: RouteMapping,
  validators: SharedValidators,
  name: string,
): string {
  const { signer, validator, method, rateLimit, refusals, encoding, conditions } = endpoint;
  const verb = method[0] + method.slice(1).toLowerCase();
  const isSecret = signer !== undefined || (validator !== undefined && encoding !== 'no-op');
  const decorators = [
    `@${verb}()`,
    ...(signer !== undefined && method === 'POST' ? ['@HttpCode(200)'] : []),
    ...(isSecret ? ["@Header('Cache-Control', 'no-store')"] : []),
    ...(rateLimit === undefined
      ? []
      : [`@Throttled({ limit: ${rateLimit.limit}, ttlMs: ${rateLimit.ttlMs} })`]),
    validator === undefined
      ? '@Public()'
      : `@RequireJwt(${validators.optionsOf(validator, conditions)})`,
    ...(signer === undefined ? [] : [`@SignFields(${signOptions(signer, routes.signer)})`]),
  ];
  const refused =
    refusals.length === 0
      ? ''
      : `/*\n * Was protected by:\n${refusals.map((line) => ` * - ${inComment(line)}\n`).join('')} */\n@UseGuards(NotImportedGuard)\n`;
  return `${refused}@Controller(${quoteLiteral(nestPath(endpoint.path))})
export class ${name} {
  constructor(private readonly backend: BackendClient) {}

  ${decorators.join('\n  ')}
  ${signer === undefined ? proxyText(endpoint) : signingText(endpoint)}
}
`;
}

/** Returns the parameters of the handler, and the expression for the path of the backend. */
function pathOf({ path, backend }: Endpoint): { args: string[]; expression: string } {
  const used = parameters(path).filter((param) => backend.path.includes(`{${param}}`));
  const hasRest = path.endsWith('*') && backend.path.endsWith('*');
  return {
    args: [
      ...(backend.path.includes('{JWT.') ? ['@Claims() claims: VerifiedClaims'] : []),
      ...used.map(
        (param) => `@Param(${quoteLiteral(parameterName(param))}) ${variable(param)}: string`,
      ),
      ...(hasRest ? [`@Param('${REST}') ${variable(REST)}: string[]`] : []),
    ],
    expression: joinPath(backend.path, used, hasRest),
  };
}

function proxyText(endpoint: Endpoint): string {
  const { backend, encoding, forwardToken } = endpoint;
  const { args, expression } = pathOf(endpoint);
  const call = [
    `method: ${quoteLiteral(backend.method)}`,
    `path: ${expression}`,
    'from',
    'to',
    ...(backend.path.includes('{JWT.') ? ['claims'] : []),
    ...(forwardToken ? ['forwardToken: true'] : []),
    ...(encoding === 'json' ? [] : [`encoding: '${encoding}'`]),
  ];
  return `handle(
    ${['@Req() from: IncomingMessage', '@Res() to: ServerResponse', ...args].join(',\n    ')},
  ): Promise<void> {
    return this.backend.proxy({ ${call.join(', ')} });
  }`;
}

function signingText(endpoint: Endpoint): string {
  const { backend, forwardToken } = endpoint;
  const { args, expression } = pathOf(endpoint);
  const call = [
    `method: ${quoteLiteral(backend.method)}`,
    `path: ${expression}`,
    'from',
    ...(backend.path.includes('{JWT.') ? ['claims'] : []),
    ...(forwardToken ? ['forwardToken: true'] : []),
    ...(backend.method === 'GET' ? [] : ['...bodyOf(from)']),
  ];
  return `async handle(
    ${['@Req() from: IncomingMessage', ...args].join(',\n    ')},
  ): Promise<Record<string, unknown>> {
    const answer = await this.backend.call<Record<string, unknown>>({ ${call.join(', ')} });
    return answer.body;
  }`;
}

/** Returns a unique class name per endpoint. */
function classNames(endpoints: readonly Endpoint[]): Map<Endpoint, string> {
  const taken = new Set<string>();
  return new Map(
    endpoints.map((endpoint) => {
      const words =
        `${endpoint.method.toLowerCase()} ${endpoint.path}`.match(/[A-Za-z0-9]+/g) ?? [];
      const base = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
      let name = `${base}Controller`;
      for (let i = 2; taken.has(name); i++) name = `${base}${i}Controller`;
      taken.add(name);
      return [endpoint, name];
    }),
  );
}
