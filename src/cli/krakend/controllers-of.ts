import { forwardable, sameKeys } from './environment-of.js';
import type { Endpoint, KrakendConfig, Signer, Validator } from './krakend-config.js';
import type { RouteMapping } from './route-mapping.js';
import { joinPath, parameters, quoteLiteral, toLiteral } from './literals.js';

/** TypeScript with a controller per endpoint, and a module for them; `undefined` when none is needed. */
export function controllersOf(config: KrakendConfig, routes: RouteMapping): string | undefined {
  const { others } = routes;
  if (others.length === 0) return undefined;
  const names = classNames(others);
  const groups = Map.groupBy(others, (endpoint) => toLiteral(backendOptions(endpoint, config)));
  const modules = [...groups].map(([options, endpoints], index) => ({
    name: `Imported${index + 1}Module`,
    text: moduleText(
      `Imported${index + 1}Module`,
      options,
      endpoints.map((endpoint) => names.get(endpoint) ?? ''),
    ),
  }));
  const controllers = others.map((endpoint) =>
    controllerText(endpoint, routes, names.get(endpoint) ?? ''),
  );
  const body = [
    ...controllers,
    ...modules.map(({ text }) => text),
    `/** Add it to the imports of the application's module. */\n@Module({ imports: [${modules.map(({ name }) => name).join(', ')}] })\nexport class ImportedModule {}\n`,
  ].join('\n');
  return `${importsOf(body)}\n${body}`;
}

const DECORATORS = [
  'Body',
  'Controller',
  'Delete',
  'Get',
  'Header',
  'Module',
  'Param',
  'Patch',
  'Post',
  'Put',
  'Req',
  'Res',
];

function importsOf(body: string): string {
  const decorators = (names: readonly string[]): string[] =>
    names.filter((name) => body.includes(`@${name}(`));
  const mentioned = (names: readonly string[]): string[] =>
    names.filter((name) => body.includes(name));
  const nest = decorators(DECORATORS);
  const signet = [
    'BackendClient',
    'BackendModule',
    ...decorators(['Claims', 'RequireJwt', 'SignFields']),
    ...mentioned(['pathSegment(']).map(() => 'pathSegment'),
    ...mentioned(['VerifiedClaims']).map((name) => `type ${name}`),
  ];
  const node = ['IncomingMessage', ...mentioned(['ServerResponse'])];
  return [
    `import type { ${node.join(', ')} } from 'node:http';`,
    `import { ${nest.join(', ')} } from '@nestjs/common';`,
    `import { ${signet.join(', ')} } from 'nest-signet';`,
    '',
  ].join('\n');
}

/** A backend of its own for these routes, since a module has one host and one list of what it may see. */
function moduleText(name: string, options: string, controllers: readonly string[]): string {
  return `@Module({
  imports: [BackendModule.forRoot(${options})],
  controllers: [${controllers.join(', ')}],
})
class ${name} {}
`;
}

const backendOptions = (endpoint: Endpoint, config: KrakendConfig) => ({
  host: endpoint.backend.host,
  timeoutMs: Math.max(1, Math.round(endpoint.timeoutMs ?? config.timeoutMs ?? 2000)),
  inputHeaders: forwardable(endpoint.inputHeaders, endpoint.validator),
  inputQueryStrings: endpoint.inputQueryStrings.filter((name) => name !== '*'),
  isGlobal: false,
});

function controllerText(endpoint: Endpoint, routes: RouteMapping, name: string): string {
  const { signer, validator, method, backend } = endpoint;
  const verb = method[0] + method.slice(1).toLowerCase();
  const needsClaims = backend.path.includes('{JWT.');
  const sendsBody = !['GET', 'DELETE'].includes(method) && backend.method !== 'GET';
  const params = parameters(endpoint.path);
  const used = params.filter((param) => backend.path.includes(`{${param}}`));
  const args = [
    '@Req() request: IncomingMessage',
    ...(signer === undefined ? ['@Res({ passthrough: true }) response: ServerResponse'] : []),
    ...(needsClaims ? ['@Claims() claims: VerifiedClaims'] : []),
    ...used.map((param) => `@Param(${quoteLiteral(param)}) ${variable(param)}: string`),
    ...(sendsBody ? ['@Body() body?: unknown'] : []),
  ];
  const call = [
    ...(backend.method === 'GET' ? [] : [`method: ${quoteLiteral(backend.method)}`]),
    `path: ${joinPath(backend.path, used, variable)}`,
    'from: request',
    ...(needsClaims ? ['claims'] : []),
    ...(sendsBody
      ? ['body: body === undefined ? undefined : Buffer.from(JSON.stringify(body))']
      : []),
  ];
  const decorators = [
    `@${verb}()`,
    "@Header('Cache-Control', 'no-store')",
    ...(validator === undefined
      ? []
      : [`@RequireJwt(${routeOptions(validator, routes.validator)})`]),
    ...(signer === undefined ? [] : [`@SignFields(${signOptions(signer, routes.signer)})`]),
  ];
  const type = signer === undefined ? '' : '<Record<string, unknown>>';
  const result = signer === undefined ? 'answer.passTo(response)' : 'answer.body';
  return `@Controller(${quoteLiteral(nestPath(endpoint.path))})
export class ${name} {
  constructor(private readonly backend: BackendClient) {}

  ${decorators.join('\n  ')}
  async handle(
    ${args.join(',\n    ')},
  ) {
    const answer = await this.backend.call${type}({
      ${call.join(',\n      ')},
    });
    return ${result};
  }
}
`;
}

/** What a route asks for beyond the defaults, as a literal. */
function routeOptions(validator: Validator, defaults: Validator | undefined): string {
  const base = defaults ?? validator;
  const differs = <T>(read: (of: Validator) => T): T | undefined =>
    JSON.stringify(read(validator)) === JSON.stringify(read(base)) ? undefined : read(validator);
  const otherKeys = !sameKeys(validator.keys, base.keys);
  const pairs = differs(({ propagateClaims }) => propagateClaims);
  const options = toLiteral({
    ...(validator.roles.length > 0 ? { roles: validator.roles } : {}),
    // Without the claim that holds them KrakenD does not look at scopes.
    ...(validator.scopes.length > 0 && validator.scopesKey !== undefined
      ? { scopes: validator.scopes }
      : {}),
    algorithms: differs(({ alg }) => [alg]),
    issuer: differs(({ issuer }) => issuer),
    audience: differs(({ audience }) => audience),
    audienceMatcher: differs(({ audience }) => (audience.length > 1 ? 'all' : 'any')),
    rolesKey: differs(({ rolesKey }) => rolesKey ?? 'roles'),
    rolesKeyIsNested: differs(({ rolesKeyIsNested }) => rolesKeyIsNested),
    scopesKey: differs(({ scopesKey }) => scopesKey ?? 'scope'),
    scopesMatcher: differs(({ scopesMatcher }) => (scopesMatcher === 'all' ? 'all' : 'any')),
    authHeaderName: differs(({ authHeaderName }) => authHeaderName ?? 'Authorization'),
    cookieKey: differs(({ cookieKey }) => cookieKey),
    leeway: differs(({ leewayMs }) => Math.max(1, Math.round((leewayMs ?? 1000) / 1000))),
    propagateClaims: pairs === undefined ? undefined : Object.fromEntries(pairs),
    jwkUrl: otherKeys && validator.keys.path === undefined ? validator.keys.url : undefined,
    jwkLocalPath: otherKeys ? validator.keys.path : undefined,
  });
  return options === '{}' ? '' : options;
}

function signOptions(signer: Signer, defaults: Signer | undefined): string {
  const base = defaults ?? signer;
  return toLiteral({
    fields: signer.keysToSign,
    alg: signer.alg === base.alg ? undefined : signer.alg,
    kid: signer.kid === base.kid ? undefined : signer.kid,
    typ: signer.typ === base.typ ? undefined : (signer.typ ?? 'JWT'),
    full: signer.full === base.full ? undefined : signer.full,
  });
}

/** `/orders/{id}` as Nest writes it. */
const nestPath = (path: string): string => path.replace(/^\//, '').replaceAll(/\{(\w+)\}/g, ':$1');

/** A parameter that cannot clash with anything else in the method. */
const variable = (param: string): string => `${param.replaceAll(/\W/g, '')}Param`;

/** A class name per endpoint, unique. */
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
