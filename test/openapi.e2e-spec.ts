import * as fc from 'fast-check';
import type { OpenAPIObject } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, type Answer } from './helpers/network/http.js';
import { NO_BUNDLE } from './helpers/gateway/processes.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
interface Described {
  name: string;
  method: string;
  path: string;
  operation: Operation;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const documentOf = async ({ url }: Gateway): Promise<OpenAPIObject> =>
  (await call(`${url}/docs-json`)).json as unknown as OpenAPIObject;

const operationsOf = ({ paths }: OpenAPIObject): Described[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined
        ? []
        : [{ name: `${method} ${path}`, method, path, operation }];
    }),
  );

/** A schema of JSON, as far as ours go. */
interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
  example?: unknown;
}

/** Values that fit a schema. */
function fitting(schema: Schema = {}): fc.Arbitrary<unknown> {
  const { type, format, minimum, maximum, minLength, maxLength, example } = schema;
  const examples = example === undefined ? [] : [fc.constant(example)];
  if (format === 'uuid') return fc.uuid();
  if (type === 'string') return fc.oneof(...examples, fc.string({ minLength, maxLength }));
  if (type === 'integer')
    return fc.integer({ min: minimum, max: maximum === undefined ? undefined : maximum });
  if (type !== 'object') return fc.jsonValue();
  const { properties = {}, required = [], additionalProperties } = schema;
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, fitting(member)]),
  );
  const known = fc.record(members, { requiredKeys: required });
  return additionalProperties === true
    ? fc.oneof(
        known,
        fc
          .tuple(fc.dictionary(fc.string(), fc.jsonValue()), known)
          .map(([more, own]) => Object.assign(more, own)),
      )
    : known;
}

interface Input {
  path: string;
  query: [string, unknown][];
  body: { type: string; text: string } | undefined;
  bearer: string;
}

const WILD = fc.oneof(fc.json(), fc.string(), fc.constant('{"a":1,"a":2}'), fc.constant('a=1&a=2'));
const encodeForm = (value: unknown): string =>
  new URLSearchParams(
    Object.entries(value as object).map(([name, member]): [string, string] => [
      name,
      // An object may have a member toString.
      typeof member === 'string' ? member : JSON.stringify(member),
    ]),
  ).toString();

/** Requests for an operation: mostly as it is documented, some not. */
function inputs(
  { path, operation }: Described,
  resolved: (schema: Schema) => Schema,
): fc.Arbitrary<Input> {
  const parameters = (operation.parameters ?? []).flatMap((parameter) =>
    'in' in parameter ? [parameter] : [],
  );
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const body = operation.requestBody;
  const content = body !== undefined && 'content' in body ? Object.entries(body.content) : [];
  return fc.record({
    path: fc
      .tuple(...inPath.map(() => fc.oneof(fc.uuid(), fc.string({ minLength: 1 }))))
      .map((values) =>
        inPath.reduce(
          // A dot segment is resolved before it is sent, and asks for something else.
          (url, { name }, i) =>
            url.replace(`{${name}}`, encodeURIComponent(`x${values[i]}`.toWellFormed())),
          path,
        ),
      ),
    query: fc
      .tuple(
        ...inQuery.map(({ name, schema }) =>
          fc
            .option(fc.oneof(fitting(schema as Schema), fc.string()), { nil: undefined })
            .map((value): [string, unknown] => [name, value]),
        ),
      )
      .map((pairs) => pairs.filter(([, value]) => value !== undefined)),
    body:
      content.length === 0
        ? fc.constant(undefined)
        : fc.oneof(
            {
              weight: 6,
              arbitrary: fc.constantFrom(...content).chain(([type, { schema }]) =>
                fitting(resolved(schema as Schema)).map((value) => ({
                  type,
                  text: type === 'application/json' ? JSON.stringify(value) : encodeForm(value),
                })),
              ),
            },
            {
              weight: 1,
              arbitrary: fc
                .tuple(fc.constantFrom('text/plain', ...content.map(([type]) => type)), WILD)
                .map(([type, text]) => ({ type, text })),
            },
            { weight: 1, arbitrary: fc.constant(undefined) },
          ),
    bearer: fc.oneof(
      { weight: 4, arbitrary: fc.constant('alice') },
      { weight: 1, arbitrary: fc.constantFrom('bob', 'refresh', 'none') },
      {
        weight: 1,
        arbitrary: fc.string().map((text) => `=${encodeURIComponent(text.toWellFormed())}`),
      },
    ),
  });
}

const isListed = ({ responses }: Operation, status: number): boolean =>
  [String(status), `${Math.floor(status / 100)}XX`].some((key) => key in responses);

/** Members of an error, in the document or in an answer. */
type Shown = Record<string, unknown>;

/** What the document shows for an error of an operation. */
function exampleOf({ responses }: Operation, status: number, code: unknown): Shown | undefined {
  const response = responses[String(status)];
  const content = response && 'content' in response ? response.content : undefined;
  const example = content?.['application/json']?.examples?.[String(code)];
  return example && 'value' in example ? (example.value as Shown) : undefined;
}

const PASSWORDS: Record<string, string> = { alice: 'wonderland', bob: 'builder' };

/** Tells when anything of Swagger is loaded. */
const SPY = `
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(name, context, next) {
    if (name.includes('swagger')) process.stderr.write('loads ' + name + '\\n');
    return next(name, context);
  } });`;
const NODE_OPTIONS = `${NO_BUNDLE} --import=data:text/javascript,${encodeURIComponent(SPY)}`;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ ADMIN_ROLES: 'role_a', STATE_STORE: 'memory:', NODE_OPTIONS });
});
afterAll(() => gateway?.stop());

describe('the OpenAPI document', () => {
  let operations: Described[];
  let schemas: Record<string, Schema>;
  beforeAll(async () => {
    const document = await documentOf(gateway);
    operations = operationsOf(document);
    schemas = (document.components?.schemas ?? {}) as typeof schemas;
  });
  /** A schema of the document, or what it refers to. */
  const resolved = (schema: Schema = {}): Schema =>
    schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});

  const login = async (user: string): Promise<Record<string, unknown>> => {
    const body = new URLSearchParams({ username: user, password: PASSWORDS[user] ?? '' });
    return (await call(`${gateway.url}/token`, { method: 'POST', body })).json;
  };
  const authorization = async (bearer: string): Promise<string | undefined> => {
    if (bearer === 'none') return undefined;
    if (bearer.startsWith('=')) return `Bearer ${bearer.slice(1)}`;
    if (bearer === 'refresh') return `Bearer ${String((await login('alice')).refresh_token)}`;
    return `Bearer ${String((await login(bearer)).access_token)}`;
  };
  const send = async (
    { method }: Described,
    { path, query, body, bearer }: Input,
  ): Promise<Answer> => {
    const url = new URL(gateway.url + path);
    for (const [name, value] of query) url.searchParams.append(name, String(value).toWellFormed());
    const headers = new Headers();
    const credentials = await authorization(bearer);
    if (credentials !== undefined) headers.set('authorization', credentials);
    if (body !== undefined) headers.set('content-type', body.type);
    return call(String(url), {
      method: method.toUpperCase(),
      headers,
      body: body?.text.toWellFormed(),
    });
  };

  it('describes every route, and each under one name', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(
      [
        'post /token',
        'post /_explain',
        'post /token/revoke',
        'post /token/introspect',
        'post /logout',
        'get /private/custom',
        'get /.well-known/jwks.json',
        'get /.well-known/oauth-authorization-server',
        'get /.well-known/oauth-protected-resource',
        'get /.well-known/oauth-protected-resource/{path}',
        'get /.well-known/openid-configuration',
        'get /health/live',
        'get /health/ready',
        'post /admin/revocations',
        'get /admin/revocations',
        'delete /admin/revocations/{id}',
      ].sort(),
    );
    for (const { name, operation } of operations)
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/\.$/)]);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(
      operations.length,
    );
  });

  it('says what the decorators say', () => {
    const find = (name: string): Operation | undefined =>
      operations.find((described) => described.name === name)?.operation;
    const custom = find('get /private/custom');
    expect(custom?.security).toEqual([{ login: [] }, { bearer: [] }]);
    expect(custom?.description).toContain('any of the roles `role_a`, `role_c`');
    expect(Object.keys(custom?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '401', '403', '502', '504']),
    );
    expect(find('get /admin/revocations')?.description).toContain('any of the roles `role_a`');
    const token = find('post /token');
    expect(token?.security).toEqual([]);
    expect(token?.responses['200']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/TokenResponse' } } },
    });
    expect(schemas.TokenResponse).toMatchObject({
      properties: {
        access_token: {
          type: 'string',
          format: 'jwt',
          description: expect.stringContaining('string (JWT)') as string,
        },
        refresh_token: { type: 'string', format: 'jwt' },
        token_type: { type: 'string' },
      },
    });
    expect(custom?.responses['401']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    });
  });

  it('has names that make good methods and types', () => {
    expect(operations.map(({ operation }) => operation.operationId)).toEqual([
      'createToken',
      'introspectToken',
      'revokeToken',
      'logOut',
      'getCustom',
      'getJwks',
      'getServerMetadata',
      'getResourceMetadata',
      'getResourceMetadataByPath',
      'getOpenidConfiguration',
      'getLiveness',
      'getReadiness',
      'listRevocations',
      'createRevocation',
      'undoRevocation',
      'explainToken',
    ]);
    expect(Object.keys(schemas).toSorted()).toEqual([
      'Error',
      'ExplainRequest',
      'Explanation',
      'Introspection',
      'JwkSet',
      'Liveness',
      'Readiness',
      'ResourceMetadata',
      'Revocation',
      'RevocationRequest',
      'Revocations',
      'ServerMetadata',
      'TokenParameters',
      'TokenRequest',
      'TokenResponse',
    ]);
  });

  it('lists every status that generated requests get', async () => {
    const seen = new Map<string, number>();
    const examples = new Map<string, [shown: Shown, real: Shown]>();
    const tryOut = async (described: Described, input: Input): Promise<void> => {
      const { status, json } = await send(described, input);
      const key = `${described.name} ${status}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      if (!isListed(described.operation, status))
        throw new Error(`${key} is not listed: ${JSON.stringify(json)}`);
      const shown = exampleOf(described.operation, status, json.code);
      if (shown !== undefined) examples.set(`${status} ${String(json.code)}`, [shown, json]);
    };
    for (const described of operations)
      await fc.assert(
        fc.asyncProperty(inputs(described, resolved), (input) => tryOut(described, input)),
        { numRuns: inject('thorough') ? 60 : 25 },
      );
    // What the generators have to reach for this to mean anything; more is generated until they do.
    const reach = async (name: string, isReached: () => boolean): Promise<void> => {
      const described = operations.find((one) => one.name === name) as Described;
      for (const input of fc.sample(inputs(described, resolved), 1000)) {
        if (isReached()) return;
        await tryOut(described, input);
      }
    };
    for (const key of [
      'post /token 200',
      'post /token 400',
      'get /private/custom 200',
      'get /private/custom 401',
      'post /token/revoke 200',
      'post /token/introspect 200',
      'post /logout 204',
      'get /admin/revocations 200',
      'delete /admin/revocations/{id} 400',
      'get /health/ready 200',
    ]) {
      await reach(key.replace(/ \d+$/, ''), () => seen.has(key));
      expect([...seen.keys()]).toContain(key);
    }
    for (const example of ['401 token_missing', '403 roles_missing'])
      await reach('get /private/custom', () => examples.has(example));
    // The examples are as the gateway answers.
    for (const [key, [shown, real]] of examples)
      expect([key, shown.error, Object.keys(shown)]).toEqual([key, real.error, Object.keys(real)]);
    expect([...examples.keys()]).toEqual(
      expect.arrayContaining(['401 token_missing', '403 roles_missing']),
    );
  }, 120_000);
});

describe('the document of a gateway without admins, with a limit', () => {
  let backend: Backend | undefined;
  let other: Gateway;
  let operations: Described[];
  beforeAll(async () => {
    backend = await startBackend();
    await backend.answer('/token.json', { body: { access_token: {} } });
    other = await startGateway({
      BACKEND_HOST: backend.url,
      STATE_STORE: 'memory:',
      THROTTLE_LIMIT: '1000',
    });
    operations = operationsOf(await documentOf(other));
  });
  afterAll(async () => {
    await other?.stop();
    await backend?.stop();
  });

  it('knows nothing of routes that are off, and the metadata names none', async () => {
    const names = operations.map(({ name }) => name);
    expect(names.filter((name) => /admin|introspect/.test(name))).toEqual([]);
    for (const { name, method, path } of operations) {
      const url = other.url + path.replace('{path}', 'private/custom');
      const { status } = await call(url, { method: method.toUpperCase() });
      expect([name, [404, 405].includes(status)]).toEqual([name, false]);
    }
    expect((await call(`${other.url}/admin/revocations`)).status).toBe(404);
    const metadata = await call(`${other.url}/.well-known/oauth-authorization-server`);
    expect(metadata.text).not.toContain('introspect');
  });

  it('names the limit where there is one', async () => {
    const limited = ({ operation }: Described): boolean => '429' in operation.responses;
    expect(operations.filter(limited).map(({ path }) => path)).toEqual(['/token', '/token/revoke']);
    expect(operationsOf(await documentOf(gateway)).filter(limited)).toEqual([]);
  });

  it('lists what a backend that fails leads to', async () => {
    const token = operations.find(({ path }) => path === '/token');
    const statuses = new Set<number>();
    const login = async (): Promise<void> => {
      statuses.add((await call(`${other.url}/token`, { method: 'POST' })).status);
    };
    for (const rule of [
      { status: 500, body: {} },
      { status: 302, body: {} },
      { status: 418, body: {} },
      { body: 'no JSON' },
      { body: {} },
      { body: { access_token: 'x' } },
      { body: { access_token: { exp: 1 } } },
    ]) {
      await backend?.answer('/token.json', rule);
      await login();
    }
    await backend?.stop();
    backend = undefined;
    await login();
    const isKnown = (status: number): boolean =>
      token !== undefined && isListed(token.operation, status);
    expect([...statuses].filter((status) => !isKnown(status))).toEqual([]);
    expect(statuses).toContain(502);
  });
});

describe('SWAGGER_ENABLED', () => {
  it('off: no page, and nothing of it is loaded', async () => {
    const off = await startGateway({ SWAGGER_ENABLED: 'false', NODE_OPTIONS });
    for (const path of ['/docs', '/docs/', '/docs-json', '/docs/swagger-ui-init.js'])
      expect((await call(off.url + path)).status).toBe(404);
    await off.stop();
    expect(off.output()).not.toContain('loads ');
    // It would have been told: of the two packages, the bundle holds one.
    expect(gateway.output()).toMatch(/loads (?:@nestjs\/swagger|swagger-ui-dist)/);
  });
});

it('/docs has a policy of its own; all other answers keep the strict one', async () => {
  const policy = async (path: string): Promise<string | null> =>
    (await call(gateway.url + path)).headers.get('content-security-policy');
  expect(await policy('/docs')).toContain("script-src 'self'");
  expect(await policy('/docs')).not.toMatch(/script-src[^;]*unsafe/);
  for (const path of ['/docs-json', '/docsx', '/health/live', '/private/custom'])
    expect(await policy(path)).toBe("default-src 'none';frame-ancestors 'none'");
});
