import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from './helpers/apps/compile.js';
import {
  createConsumer,
  installedForUsers,
  pack,
  startConsumer,
  type PackedPackage,
} from './helpers/apps/consumer.js';
import { startGateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { part } from './helpers/issuers/keys.js';
import { bash } from './helpers/pages/manual.js';
import { GATEWAY_PACKAGES } from '../src/packages/index.js';

interface Manifest {
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional?: boolean }>;
  devDependencies: Record<string, string>;
}
const manifestOf = (directory: string): Manifest =>
  JSON.parse(readFileSync(resolve(directory, 'package.json'), 'utf8')) as Manifest;

let packed: PackedPackage;
beforeAll(async () => {
  packed = await pack();
});

describe('the package', () => {
  it('holds what was built, and nothing else', () => {
    const strangers = packed.files.filter(
      (file) =>
        !/^(?:dist\/[\w./-]+\.(?:js|d\.ts)|dist\/assets\/files\/\w+\.(?:html|css)|docs\/[\w-]+\.md|docs\/diagrams\/[\w-]+\.svg|docs\/model\/[\w.]+|package\.json|[A-Z]+(?:\.md)?)$/.test(
          file,
        ),
    );
    expect(strangers).toEqual([]);
    expect(packed.files.filter((file) => /\.spec\.|\.env|jwks\.json/.test(file))).toEqual([]);
    expect(packed.files).toEqual(
      expect.arrayContaining([
        'dist/index.js',
        'dist/cli/main.js',
        'docs/library.md',
        'LICENSE',
        'README.md',
      ]),
    );
  });

  it('tells an old Node so wherever it is imported, before anything else', () => {
    const { exports } = manifestOf('.');
    const entries = Object.values(exports as Record<string, { default?: string }>)
      .flatMap(({ default: file }) => file ?? [])
      // Needs nothing that an old Node has not.
      .filter((file) => file !== './dist/core/index.js');
    expect(entries.length).toBeGreaterThan(5);
    const firstImport = (file: string): string | undefined =>
      /^(?:import|export)[^;]*?'([^']+)'/m.exec(readFileSync(file, 'utf8'))?.[1];
    expect(
      entries.filter((file) => !/^\.\.?\/core\/errors\/index\.js$/.test(firstImport(file) ?? '')),
    ).toEqual([]);
  });

  it('has no complaint of publint', async () => {
    const pkg = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>;
    const { buffer } = readFileSync(packed.tarball);
    const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that are right wherever it can be imported', async () => {
    // CommonJS gets the ES modules, which every Node from the oldest supported on can require.
    const args = ['--ignore-rules', 'cjs-resolves-to-esm'];
    const attw = resolve('test/packages/node_modules/@arethetypeswrong/cli/dist/index.js');
    const check = promisify(execFile)(process.execPath, [attw, packed.tarball, ...args]);
    await expect(check.catch(({ stdout }: { stdout: string }) => stdout)).resolves.toEqual({
      stdout: expect.any(String) as string,
      stderr: '',
    });
  });

  it('leaves Nest to the application, so that there is one copy of it', () => {
    const { dependencies, peerDependencies, peerDependenciesMeta, devDependencies } =
      manifestOf('.');
    const singletons = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];
    expect(Object.keys(peerDependencies)).toEqual(expect.arrayContaining(singletons));
    for (const name of Object.keys(peerDependencies)) {
      const optional = peerDependenciesMeta[name]?.optional === true;
      // A peer that is also a development dependency vanishes with --omit=dev: only an optional one may
      // be, for which the Dockerfile takes care. It has to be, as npm does not install it otherwise.
      expect([name, name in dependencies, name in devDependencies]).toEqual([
        name,
        false,
        optional,
      ]);
    }
    for (const name of Object.keys(dependencies))
      for (const singleton of singletons)
        expect([name, manifestOf(`node_modules/${name}`).dependencies?.[singleton]]).toEqual([
          name,
          undefined,
        ]);
  });
});

describe('an installation of the package', () => {
  it('runs no script of anybody', () => {
    const installed = installedForUsers();
    expect(installed.map(([path]) => path)).toContain('node_modules/jose');
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });

  const SHOP = {
    'package.json': JSON.stringify({ name: 'shop', type: 'module' }),
    'krakend.yaml': 'version: 3',
    'krakend.toml': 'version = 3',
  };

  it('needs axios for BackendModule only, and says so', async () => {
    const directory = await createConsumer(packed.tarball, SHOP, ['@nestjs/platform-express']);
    const code = `
      await import('reflect-metadata');
      const { NestFactory } = await import('@nestjs/core');
      const { BackendModule } = await import('nest-signet');
      const options = { logger: false, abortOnError: false };
      await NestFactory.create(BackendModule.forRoot({ host: 'http://127.0.0.1:1' }), options)
        .catch(({ message }) => console.log(message));`;
    const node = [process.execPath, '--input-type=module', '-e', `"$CODE"`].join(' ');
    const { devDependencies: ours } = manifestOf('.');
    expect((await bash(node, { CODE: code }, directory)).trim()).toBe(
      `BackendModule: @nestjs/axios, axios are not installed. Run npm install @nestjs/axios@${ours['@nestjs/axios']} axios@${ours.axios}`,
    );
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(['1', '2'])(
    'with what the gateway always needs serves, and says once what else is missing, with WORKERS=%s',
    async (WORKERS) => {
      const directory = await createConsumer(packed.tarball, SHOP, GATEWAY_PACKAGES);
      const signet = ['bash', '-c', 'exec "$0" node_modules/nest-signet/dist/cli/main.js serve'];
      const gateway = await startGateway({ WORKERS, LOG_FORMAT: 'pretty' }, directory, signet);
      const token = await call(`${gateway.url}/token`, { method: 'POST' });
      expect([token.status, (await call(`${gateway.url}/docs`)).status]).toEqual([200, 404]);
      const warnings = gateway.log().filter(({ level }) => Number(level) > 30);
      expect(warnings.map(({ msg }) => msg)).toEqual([
        'The log is JSON, since pino-pretty is not installed. Run npm install pino-pretty@^13.2.0, or set LOG_FORMAT=json.',
        'SWAGGER_ENABLED is true: there is no /docs, since @nestjs/swagger is not installed. Run npm install @nestjs/swagger@^12.0.2, or set SWAGGER_ENABLED=false.',
      ]);
      expect(await gateway.stop()).toBe(0);
      rmSync(directory, { recursive: true, force: true });
    },
  );

  it.each([
    ['serve', {}, [], GATEWAY_PACKAGES],
    ['serve', {}, GATEWAY_PACKAGES.filter((name) => name !== 'pino'), ['pino']],
    ['keys generate', {}, [], ['class-validator']],
    ['import krakend.yaml', {}, ['class-validator'], ['yaml']],
    ['import krakend.toml', {}, ['class-validator'], ['smol-toml']],
    ['serve', { STATE_STORE: 'redis://127.0.0.1' }, GATEWAY_PACKAGES, ['redis']],
    [
      'serve',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
      GATEWAY_PACKAGES,
      Object.keys(manifestOf('.').devDependencies).filter((name) => /opentelemetry/.test(name)),
    ],
  ])('says what signet %s with %o needs beside %o', async (command, env, packages, missing) => {
    const directory = await createConsumer(packed.tarball, SHOP, packages);
    const signet = `'${process.execPath}' node_modules/nest-signet/dist/cli/main.js`;
    const problem = await bash(
      `${signet} ${command}`,
      { PORT: '0', MANAGEMENT_PORT: 'off', ...env },
      directory,
    ).catch(({ stderr }: { stderr: string }) => stderr);
    const { devDependencies } = manifestOf('.');
    const install = missing.map((name) => `${name}@${devDependencies[name]}`).join(' ');
    expect(problem.trim().split('\n')).toEqual([
      expect.stringMatching(
        `^signet: (STATE_STORE cannot be used: )?${missing.join(', ')} (is|are) not installed\\. Run npm install `,
      ),
    ]);
    expect(problem.trim().endsWith(` npm install ${install}`)).toBe(true);
  });
});

describe('.ci/release', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  let target: string;
  beforeAll(() => {
    target = mkdtempSync(join(tmpdir(), 'signet-release-'));
  });
  afterAll(() => rmSync(target, { recursive: true, force: true }));
  const ACTIONS = { GITHUB_REPOSITORY: 'some/where', GITHUB_SERVER_URL: 'https://github.com' };

  it('makes a tarball that names the repository it is published from', async () => {
    await bash(`.ci/release v${version} '${target}'`, ACTIONS);
    const name = `nest-signet-${version}`;
    expect(readdirSync(target).toSorted()).toEqual([`${name}.cdx.json`, `${name}.tgz`]);
    const read = (path: string) => bash(`tar -xOzf '${target}/${name}.tgz' 'package/${path}'`);
    expect(JSON.parse(await read('package.json'))).toMatchObject({
      version,
      repository: { type: 'git', url: 'git+https://github.com/some/where.git' },
    });
    const listed = (await bash(`tar -tzf '${target}/${name}.tgz'`)).trim().split('\n');
    expect(listed.map((path) => path.replace(/^package\//, '')).toSorted()).toEqual(
      packed.files.toSorted(),
    );
  });

  it('lists each package that an installation brings along, and no other', () => {
    const sbom = JSON.parse(
      readFileSync(join(target, `nest-signet-${version}.cdx.json`), 'utf8'),
    ) as { bomFormat: string; components: { purl: string }[] };
    expect(sbom.bomFormat).toBe('CycloneDX');
    const expected = installedForUsers().map(([path, locked]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `pkg:npm/${name.replace('@', '%40')}@${locked.version}`;
    });
    expect(sbom.components.map(({ purl }) => purl).toSorted()).toEqual(
      [...new Set(expected)].toSorted(),
    );
  });

  it('makes nothing for a tag of another version', async () => {
    const other = join(target, 'other');
    await expect(bash(`.ci/release v99.0.0 '${other}'`)).rejects.toMatchObject({
      code: 1,
      stderr: `.ci/release: the tag is v99.0.0, the version in package.json ${version}\n`,
    });
    expect(existsSync(other)).toBe(false);
  });
});

const ORDERS = `
import { Controller, Get, Module, Post } from '@nestjs/common';
import { AuthModule, Claims, RequireJwt, type VerifiedClaims } from 'nest-signet/auth';
import { BackendClient, BackendModule } from 'nest-signet/backend';
import { JwksModule } from 'nest-signet/jwks';
import { SignFields, SigningModule } from 'nest-signet/signing';
import { REVOCATION_KINDS, type StateStore } from 'nest-signet/state';
import { createTestIssuer, startFakeBackend } from 'nest-signet/testing';
import { GatewayException } from 'nest-signet';

export const issuer = createTestIssuer();
export const kinds = REVOCATION_KINDS;
export type Store = StateStore;

@Controller('orders')
export class OrdersController {
  constructor(private readonly backend: BackendClient) {}

  @Get()
  @RequireJwt({ roles: ['clerk'] })
  async list(@Claims('sub') sub: string, @Claims() claims: VerifiedClaims<{ tenant: string }>) {
    const answer = await this.backend.call<{ id: number }>({ path: '/user/{JWT.sub}.json', claims });
    return { sub, tenant: claims.tenant, user: answer.body.id };
  }

  @Post()
  @RequireJwt()
  @SignFields({ fields: ['receipt'], typ: 'receipt+jwt', ttl: 600 })
  order(@Claims('sub') sub: string) {
    return { status: 'accepted', receipt: { sub, order: 7 } };
  }

  @Get('broken')
  broken(): never {
    throw new GatewayException({
      status: 503, error: 'temporarily_unavailable', code: 'closed', description: 'Closed.',
      explanation: 'hush',
    });
  }
}

@Module({
  imports: [
    JwksModule.forRoot(issuer.jwksOptions),
    SigningModule.forRoot({ alg: issuer.alg }),
    BackendModule.forRootAsync({
      useFactory: async () => ({ host: (await startFakeBackend()).url }),
    }),
    ...(process.env.FORGET === 'AuthModule' ? [] : [AuthModule.forRoot(issuer.authOptions)]),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
`;
const MAIN = (extension: string): string => `
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { ErrorFilter, requestContextMiddleware } from 'nest-signet';
import { AppModule, issuer } from './app.module${extension}';

async function main() {
  const app = await NestFactory.create(AppModule, { logger: ['fatal', 'error'] });
  if (process.env.FILTER === 'ours') {
    app.use(requestContextMiddleware);
    app.useGlobalFilters(new ErrorFilter({ explain: true }));
  }
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  console.log(JSON.stringify({
    url: 'http://127.0.0.1:' + port,
    clerk: await issuer.sign({ sub: '42', tenant: 'acme', roles: ['clerk'] }),
    guest: await issuer.sign({ roles: [] }),
    stranger: await issuer.sign({}, { kid: 'of somebody else' }),
  }));
}
void main();
`;
const COMPILER_OPTIONS = {
  target: 'es2023',
  strict: true,
  skipLibCheck: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  isolatedModules: true,
  types: ['node'],
  outDir: 'dist',
  rootDir: 'src',
};

/** Compiles an application; gives its folder. */
async function createShop(type: string, options: object): Promise<string> {
  const directory = await createConsumer(packed.tarball, {
    'package.json': JSON.stringify({ name: 'shop', type }),
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...COMPILER_OPTIONS, ...options } }),
    'src/app.module.ts': ORDERS,
    'src/main.ts': MAIN(type === 'module' ? '.js' : ''),
  });
  expect(compile(directory)).toBe('');
  return directory;
}
const compiledIn = (directory: string): string =>
  ['main.js', 'app.module.js']
    .map((file) => readFileSync(join(directory, 'dist', file), 'utf8'))
    .join('');
/** What an application was compiled to, by its module system. */
const compiledTo = new Map<string, string>();

describe.each([
  // The types of the package have to hold by themselves.
  ['ES modules', 'module', { module: 'nodenext', skipLibCheck: false }],
  ['CommonJS', 'commonjs', { module: 'nodenext' }],
])('a fresh application with %s', (_name, type, options) => {
  let directory = '';
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('compiles', async () => {
    directory = await createShop(type, options);
    const compiled = compiledIn(directory);
    expect(compiled.includes('require("nest-signet")')).toBe(type === 'commonjs');
    compiledTo.set(type, compiled);
  }, 120_000);

  it('protects and signs, with answers as RFC 6750 has them through Nest alone', async () => {
    const app = await startConsumer(directory);
    const { url, clerk = '', guest = '', stranger = '' } = app.hello;
    const served = await callWith(`${url}/orders`, clerk);
    expect([served.status, served.json]).toEqual([200, { sub: '42', tenant: 'acme', user: 1 }]);

    const missing = await call(`${url}/orders`);
    expect([missing.status, missing.headers.get('www-authenticate'), missing.json]).toEqual([
      401,
      'Bearer realm="signet"',
      { error_description: 'This resource needs a bearer token.', code: 'token_missing' },
    ]);
    const refused = await callWith(`${url}/orders`, stranger);
    expect([refused.status, refused.json.error, refused.json.code]).toEqual([
      401,
      'invalid_token',
      'key_not_found',
    ]);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const forbidden = await callWith(`${url}/orders`, guest);
    expect([forbidden.status, forbidden.json.error, forbidden.json.code]).toEqual([
      403,
      'insufficient_scope',
      'roles_missing',
    ]);
    expect(forbidden.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    const broken = await call(`${url}/orders/broken`);
    expect([broken.status, broken.json]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: 'Closed.', code: 'closed' },
    ]);

    const headers = { authorization: `Bearer ${clerk}` };
    const ordered = await call(`${url}/orders`, { method: 'POST', headers });
    expect([ordered.status, ordered.json.status]).toEqual([201, 'accepted']);
    expect(part(String(ordered.json.receipt), 0)).toMatchObject({
      alg: 'ES256',
      typ: 'receipt+jwt',
    });
    expect(part(String(ordered.json.receipt), 1)).toMatchObject({ sub: '42', order: 7 });
    await app.stop();
  });

  it("gets the gateway's own answers from its filter", async () => {
    const app = await startConsumer(directory, { FILTER: 'ours' });
    const { url, stranger = '' } = app.hello;
    const refused = await callWith(`${url}/orders`, stranger);
    expect([refused.status, refused.json]).toEqual([
      401,
      {
        error: 'invalid_token',
        error_description: 'no key with the kid of the header',
        code: 'key_not_found',
        request_id: refused.headers.get('x-request-id'),
      },
    ]);
    const method = await call(`${url}/orders`, { method: 'DELETE' });
    expect([method.status, method.json.code, method.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'GET, POST, HEAD',
    ]);
    expect((await call(`${url}/nowhere`)).status).toBe(404);
    await app.stop();
  });

  it('does not boot without a module that its decorators need, which it names', async () => {
    await expect(startConsumer(directory, { FORGET: 'AuthModule' })).rejects.toThrow(
      /exited with [1-9][^]*@RequireJwt needs AuthModule: add AuthModule\.forRoot/,
    );
  });
});

it.each([
  ['module commonjs', { module: 'commonjs', moduleResolution: 'bundler' }],
  // Finds types by typesVersions; as Nest 11 began.
  [
    'moduleResolution node10',
    { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' },
  ],
])(
  'a fresh application with CommonJS, %s, is compiled to the same',
  async (_name, options) => {
    const directory = await createShop('commonjs', options);
    expect(compiledIn(directory)).toBe(compiledTo.get('commonjs'));
    rmSync(directory, { recursive: true, force: true });
  },
  120_000,
);
