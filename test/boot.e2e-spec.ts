import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import {
  Controller,
  Get,
  Module,
  Post,
  Res,
  StreamableFile,
  type DynamicModule,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt } from '../src/auth/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { JWS_ALGORITHMS, type JwsAlgorithm } from '../src/core/jws/index.js';
import { SignFields, SigningModule } from '../src/signing/index.js';
import { figure } from './helpers/run/figure.js';
import { refuseToBoot, startGateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { tempFolder } from './helpers/run/resources.js';

const POST_TOKEN = 'POST /token (TokenController.create)';
const GET_CUSTOM = 'GET /private/custom (PrivateController.custom)';

/**
 * One key of each type and curve, without `alg`, so that nothing but the type can be wrong. A key of ML-DSA
 * says by its `alg` which of the three it is.
 */
const shapes: Record<string, JWK> = {};
const FITTING: Record<JwsAlgorithm, string> = {
  HS256: 'oct',
  HS384: 'oct',
  HS512: 'oct',
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  PS384: 'rsa',
  PS512: 'rsa',
  ES256: 'p256',
  ES384: 'p384',
  ES512: 'p521',
  EdDSA: 'ed25519',
  Ed25519: 'ed25519',
  'ML-DSA-44': 'mldsa44',
  'ML-DSA-65': 'mldsa65',
  'ML-DSA-87': 'mldsa87',
};
/** What a message calls each shape, seen from an algorithm of another type. */
const TYPE: Record<string, string> = {
  oct: 'oct',
  rsa: 'RSA',
  ed25519: 'OKP',
  mldsa44: 'AKP',
  mldsa65: 'AKP',
  mldsa87: 'AKP',
};

beforeAll(async () => {
  const made = [
    ['oct', 'HS512'],
    ['rsa', 'RS256'],
    ['p256', 'ES256'],
    ['p384', 'ES384'],
    ['p521', 'ES512'],
    ['ed25519', 'EdDSA'],
    ['mldsa44', 'ML-DSA-44'],
    ['mldsa65', 'ML-DSA-65'],
    ['mldsa87', 'ML-DSA-87'],
  ] as const;
  for (const [kid, alg] of made) {
    const { alg: _alg, ...jwk } = await generateJwk(alg, kid);
    shapes[kid] = jwk.kty === 'AKP' ? { ...jwk, alg } : jwk;
  }
});

const shape = (name: string): JWK => shapes[name] ?? {};
const secretsOf = ({ k, d, p, q, dp, dq, qi, priv }: JWK): string[] =>
  [k, d, p, q, dp, dq, qi, priv].filter((value) => value !== undefined);

/** Boots in vain; gives the lines that say why, after checking what was written. */
async function problems(
  env: Record<string, string>,
  keys: readonly JWK[] = Object.values(shapes),
): Promise<string[]> {
  return linesOf((await refuseInHost(env)).output, keys);
}

function linesOf(output: string, keys: readonly JWK[]): string[] {
  expect(output).not.toMatch(/^\s+at /m);
  expect(output).not.toMatch(/Listening on/);
  for (const secret of keys.flatMap(secretsOf)) expect(output).not.toContain(secret);
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  for (const line of lines) expect(line).toMatch(/^signet: \S/);
  return lines.map((line) => line.slice('signet: '.length));
}

const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

const keyEnv = (path: string, kid: string, alg = 'HS256'): Record<string, string> => ({
  SIGNER_JWK_LOCAL_PATH: path,
  SIGNER_KID: kid,
  SIGNER_ALG: alg,
});

describe('an algorithm and a key that do not fit', () => {
  it.each(JWS_ALGORITHMS)('%s: the boot is refused, naming route, kid and file', async (alg) => {
    const kid = Object.keys(shapes).find((name) => name !== FITTING[alg]) ?? '';
    const path = writeKeys([shape(kid)]);
    const lines = await problems(keyEnv(path, kid, alg));
    expect(lines.filter((line) => line.startsWith(`${POST_TOKEN}: `))).toEqual([
      expect.stringMatching(
        new RegExp(`^.*${alg} needs .*kid '${kid}' is .*JWK ${path}`),
      ) as string,
    ]);
    expect(lines.filter((line) => !line.startsWith(POST_TOKEN))).toEqual([]);
  });

  it('refuses each of the 136 wrong pairs, in one boot, a line per route', async () => {
    const pairs = JWS_ALGORITHMS.flatMap((alg) =>
      Object.keys(shapes)
        .filter((kid) => kid !== FITTING[alg])
        .map((kid) => ({ alg, kid })),
    );
    expect(pairs).toHaveLength(136);
    const path = writeKeys(Object.values(shapes));
    const lines = await bootProblems([
      keysOf(path),
      SigningModule.forRoot({ kid: 'oct' }),
      moduleOf(controllerWith(pairs)),
    ]);
    const curve: Record<string, string> = { p256: 'P-256', p384: 'P-384', p521: 'P-521' };
    expect(lines).toEqual(
      pairs.map(({ alg, kid }) => {
        const fitting = FITTING[alg];
        const own = Object.keys(FITTING).find((name) => FITTING[name as JwsAlgorithm] === kid);
        const why =
          fitting in curve && kid in curve
            ? `${alg} needs curve ${curve[fitting]}, kid '${kid}' is on ${curve[kid]}`
            : TYPE[fitting] === 'AKP' && TYPE[kid] === 'AKP'
              ? `kid '${kid}' is for ${own} only, not for ${alg}`
              : `${alg} needs a key of type ${TYPE[fitting] ?? 'EC'}, kid '${kid}' is ${TYPE[kid] ?? 'EC'}`;
        return `POST /${alg}/${kid} (Many.${alg}_${kid}): ${why} (JWK ${path})`;
      }),
    );
  });

  it('boots with each of the 17 right pairs', async () => {
    const pairs = Object.entries(FITTING).map(([alg, kid]) => ({ alg: alg as JwsAlgorithm, kid }));
    const lines = await bootProblems([
      keysOf(writeKeys(Object.values(shapes))),
      SigningModule.forRoot({ kid: 'oct' }),
      moduleOf(controllerWith(pairs)),
    ]);
    expect(lines).toEqual([]);
  });

  it('keeps a key to the one algorithm its JWK names', async () => {
    const jwk: JWK = { ...shape('rsa'), alg: 'PS256' };
    const lines = await problems(keyEnv(writeKeys([jwk]), 'rsa', 'RS256'));
    expect(lines.join('\n')).toMatch(/^POST \/token .*kid 'rsa' is for PS256 only, not for RS256/m);
  });

  it('refuses a VALIDATOR_ALG that no key can do, naming the protected route', async () => {
    const path = writeKeys([shape('oct')]);
    const lines = await problems({ ...keyEnv(path, 'oct'), VALIDATOR_ALG: 'HS256,ES256' });
    expect(lines).toEqual([
      expect.stringContaining(`${GET_CUSTOM}: no key in JWK ${path} can verify ES256`) as string,
    ]);
    expect(lines[0]).toContain("kid 'oct' is oct");
  });
});

describe('keys that cannot be used', () => {
  it('kid not found: names file and kids', async () => {
    const path = writeKeys([{ ...shape('oct'), kid: 'sim1' }]);
    expect(await problems(keyEnv(path, 'sim2'))).toEqual([
      `${POST_TOKEN}: kid 'sim2' not found in JWK ${path} (present: sim1)`,
    ]);
  });

  it.each(['rsa', 'p256', 'ed25519'])('%s: a public key alone cannot sign', async (kid) => {
    const alg = { rsa: 'RS256', p256: 'ES256', ed25519: 'EdDSA' }[kid];
    const lines = await problems(keyEnv(writeKeys([publicHalf(shape(kid))]), kid, alg));
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(`^POST /token .*kid '${kid}'.*cannot sign.*public`),
      ) as string,
    ]);
  });

  it.each([
    ['HS256', 31, /kid 'short' has a secret of 31 bytes.*at least 32/],
    ['HS384', 47, /^POST \/token .*HS384 needs a secret of at least 48 bytes, kid 'short' has 47/],
    ['HS512', 63, /^POST \/token .*HS512 needs a secret of at least 64 bytes, kid 'short' has 63/],
    ['HS256', 3, /kid 'short' has a secret of 3 bytes/],
  ])('%s: a secret of %i bytes is too short', async (alg, size, message) => {
    const jwk: JWK = { kty: 'oct', kid: 'short', k: randomBytes(size).toString('base64url') };
    const lines = await problems(keyEnv(writeKeys([jwk]), 'short', alg), [size > 3 ? jwk : {}]);
    expect(lines[0]).toMatch(message);
  });

  it('RSA below 2048 bits', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = { ...(privateKey.export({ format: 'jwk' }) as JWK), kid: 'small' };
    const lines = await problems(keyEnv(writeKeys([jwk]), 'small', 'RS256'), [jwk]);
    expect(lines).toEqual([
      expect.stringMatching(/kid 'small' is an RSA key of 1024 bits; at least 2048/) as string,
    ]);
  });

  it('two keys with one kid', async () => {
    const twice = [shape('oct'), { ...shape('p256'), kid: 'oct' }];
    const lines = await problems(keyEnv(writeKeys(twice), 'oct'));
    expect(lines).toEqual([expect.stringContaining("kid 'oct'") as string]);
  });

  it('no file, or a file that is no JWK Set', async () => {
    const file = writeKeys([]);
    const missing = `${file}.missing`;
    expect(await problems(keyEnv(missing, 'sim2'))).toEqual([
      expect.stringMatching(new RegExp(`^JWK ${missing}: .*ENOENT`)) as string,
    ]);
    const { k = '' } = shape('oct');
    for (const text of [`{"keys":[{"k":"${k}"`, '', '[]', '"x"', '{"keys":[{}]}', '{"keys":7}']) {
      writeFileSync(file, text);
      expect(await problems(keyEnv(file, 'sim2'))).toEqual([
        expect.stringContaining(`JWK ${file}`) as string,
      ]);
    }
  });

  it('a key file that others can read: a warning in development, refused in production', async () => {
    const path = writeKeys([shape('oct')]);
    chmodSync(path, 0o644);
    const gateway = await hostGateway(keyEnv(path, 'oct'));
    const warnings = gateway.log().filter(({ level }) => level === 40);
    expect(warnings.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(new RegExp(`${path}.*mode 644.*chmod 600 ${path}`)) as string,
    ]);
    await gateway.stop();
    const production = { NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1' };
    expect(await problems({ ...keyEnv(path, 'oct'), ...production })).toEqual([
      expect.stringMatching(new RegExp(`${path}.*mode 644.*chmod 600 ${path}`)) as string,
    ]);
    // Public keys are no secret.
    const publicPath = writeKeys([publicHalf(shape('p256'))]);
    chmodSync(publicPath, 0o644);
    chmodSync(path, 0o600);
    const quiet = await hostGateway({
      ...keyEnv(path, 'oct'),
      ...production,
      VALIDATOR_ALG: 'ES256',
      VALIDATOR_JWK_LOCAL_PATH: publicPath,
    });
    expect(quiet.output()).not.toMatch(/chmod|mode 644/);
    await quiet.stop();
  });

  it('skips a key of an unknown type with a warning, and uses the others', async () => {
    const path = writeKeys([{ kty: 'QKD', kid: 'future', alg: 'ML-DSA-44' }, shape('oct')]);
    const gateway = await hostGateway(keyEnv(path, 'oct'));
    const warnings = gateway.log().filter(({ level }) => level === 40);
    expect(warnings.map(({ msg }) => msg)).toEqual([
      `JWK ${path}: kid 'future' is skipped: kty 'QKD' is not one of oct, RSA, EC, OKP, AKP`,
    ]);
    expect((await fetch(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
    await gateway.stop();
    const lines = await problems(keyEnv(path, 'future'));
    expect(lines.join('\n')).toMatch(/^POST \/token .*'future'/m);
  });
});

describe('an environment that cannot be used', () => {
  it('reports all wrong variables at once, by name and without their values', async () => {
    const secret = 'http://user:hunter2@backend';
    const lines = await problems({
      PORT: '65536',
      SIGNER_ALG: 'none',
      VALIDATOR_ALG: 'HS256,hs512',
      SIGNER_FULL: 'yes',
      BODY_LIMIT: '16 parsecs',
      BACKEND_HOST: secret,
      BACKEND_TIMEOUT_MS: '-1',
      TOKEN_BACKEND_PATH: 'token.json',
      SIGNER_STALE_EXP: 'ignore',
    });
    expect(lines.map((line) => line.split(' ', 1)[0]).toSorted(byName)).toEqual([
      'BACKEND_HOST',
      'BACKEND_TIMEOUT_MS',
      'BODY_LIMIT',
      'PORT',
      'SIGNER_ALG',
      'SIGNER_FULL',
      'SIGNER_STALE_EXP',
      'TOKEN_BACKEND_PATH',
      'VALIDATOR_ALG',
    ]);
    expect(lines.join()).not.toMatch(/hunter2|parsecs/);
  });

  it('production needs a backend and JWK security', async () => {
    const path = writeKeys([shape('oct')]);
    const production = { ...keyEnv(path, 'oct'), NODE_ENV: 'production' };
    expect(await problems(production)).toEqual([
      expect.stringMatching(/^BACKEND_HOST is needed in production/) as string,
    ]);
    expect(
      await problems({
        ...production,
        BACKEND_HOST: 'http://127.0.0.1:1',
        DISABLE_JWK_SECURITY: 'true',
      }),
    ).toEqual([expect.stringMatching(/^DISABLE_JWK_SECURITY.*refused in production/) as string]);
  });

  it('production needs to be told who it is, and for whom its tokens are, with the line to write', async () => {
    const path = writeKeys([shape('oct')]);
    const given = { ...keyEnv(path, 'oct'), NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1' };
    const unset = { PUBLIC_URL: '', SIGNER_ISSUER: '', VALIDATOR_AUDIENCE: '' };
    const issuer = expect.stringMatching(/^PUBLIC_URL is needed .*; write PUBLIC_URL=https:/) as string;
    const audience = expect.stringMatching(/^VALIDATOR_AUDIENCE is needed .*; write VALIDATOR_AUDIENCE=https:/) as string;
    expect(await problems({ ...given, ...unset })).toEqual([issuer, audience]);
    expect(await problems({ ...given, ...unset, VALIDATOR_AUDIENCE: 'a' })).toEqual([issuer]);
    for (const name of ['PUBLIC_URL', 'SIGNER_ISSUER'])
      expect(await problems({ ...given, ...unset, [name]: 'https://a' })).toEqual([audience]);
  }); // prettier-ignore

  it('production creates no key', async () => {
    const lines = await problems({ NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1' });
    expect(lines).toEqual([expect.stringMatching(/keys\/signing\.jwks\.json.*ENOENT/) as string]);
  });

  it('a misspelled variable: a warning in development, refused in production', async () => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, '.env'), 'ADMIN_ROLE=admin\nSIGNER_KID=${KID}\n');
    const env = {
      SIGNER_JWK_LOCAL_PATH: writeKeys([shape('oct')]),
      KID: 'oct',
      SIGNER_AGL: 'ES256',
    };
    const unknown = (name: string, nearest: string): string =>
      `${name} is no variable of Signet; the nearest name is ${nearest}`;
    const lines = [unknown('SIGNER_AGL', 'SIGNER_ALG'), unknown('ADMIN_ROLE', 'ADMIN_ROLES')];
    for (const WORKERS of ['1', '2']) {
      const gateway = await startGateway({ ...env, WORKERS }, cwd);
      expect(gateway.log().filter(({ level }) => level === 40)).toMatchObject(
        lines.map((msg) => ({ context: 'Environment', msg })),
      );
      expect((await fetch(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
      await gateway.stop();
    }
    const production = { NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1' };
    const refused = await refuseToBoot({ ...env, ...production }, cwd);
    expect(refused).toEqual({ code: 1, output: lines.map((line) => `signet: ${line}\n`).join('') });
  });

  it.skipIf(!HAS_IPV6).each(['1', '2'])(
    'an IPv6 address stands in brackets in the log (%s workers)',
    async (WORKERS) => {
      const gateway = await startGateway({ HOST: '::1', WORKERS });
      expect(gateway.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
      expect((await fetch(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
      await gateway.stop();
    },
  );

  it('PORT in use', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    expect(await problems({ PORT: String(port) })).toEqual([
      expect.stringMatching(new RegExp(`^PORT ${port} is in use already`)) as string,
    ]);
    server.close();
  });
});

describe('a decorator that cannot work', () => {
  it('@SignFields without SigningModule', async () => {
    @Controller('sign')
    class Signing {
      @Post()
      @SignFields('receipt')
      sign(): { receipt: object } {
        return { receipt: {} };
      }
    }
    expect((await bootProblems([moduleOf(Signing)])).join()).toMatch(
      /@SignFields needs SigningModule.*SigningModule\.forRoot/,
    );
  });

  it('@RequireJwt without AuthModule, on a method or on a class', async () => {
    @Controller('method')
    class OnMethod {
      @Get()
      @RequireJwt()
      get(): string {
        return 'never';
      }
    }
    @Controller('class')
    @RequireJwt()
    class OnClass {
      @Get()
      get(): string {
        return 'never';
      }
    }
    for (const controller of [OnMethod, OnClass])
      expect((await bootProblems([moduleOf(controller)])).join()).toMatch(
        /@RequireJwt needs AuthModule.*AuthModule\.forRoot/,
      );
  });

  it('@SignFields on a handler that writes the response itself, or returns a file', async () => {
    // The types of @SignFields do not allow a file.
    const signs: MethodDecorator = SignFields('receipt');
    @Controller('orders')
    class Writing {
      @Post('raw')
      @SignFields('receipt')
      raw(@Res() response: ServerResponse): unknown {
        return response.end('{"receipt":{}}');
      }

      @Post('fine')
      @SignFields('receipt')
      fine(@Res({ passthrough: true }) response: ServerResponse): { receipt: object } {
        response.statusCode = 200;
        return { receipt: {} };
      }

      @Post('file')
      @signs
      file(): StreamableFile {
        return new StreamableFile(Buffer.from('{}'));
      }
    }
    const lines = await bootProblems([
      keysOf(writeKeys([shape('oct')])),
      SigningModule.forRoot({ kid: 'oct' }),
      moduleOf(Writing),
    ]);
    expect(lines).toEqual([
      expect.stringMatching(
        /^POST \/orders\/raw \(Writing\.raw\): .*writes the response/,
      ) as string,
      expect.stringMatching(/^POST \/orders\/file \(Writing\.file\): .*returns a file/) as string,
    ]);
  });

  it('@RequireJwt with an algorithm that no key can do', async () => {
    @Controller('orders')
    class Orders {
      @Get('old')
      @RequireJwt({ algorithms: ['RS256'] })
      old(): string {
        return 'never';
      }
    }
    const lines = await bootProblems([
      keysOf(writeKeys([shape('oct')])),
      AuthModule.forRoot({ algorithms: ['HS256'], issuer: 'i', audience: 'a' }),
      moduleOf(Orders),
    ]);
    expect(lines).toEqual([
      expect.stringMatching(
        /^GET \/orders\/old \(Orders\.old\): no key .* can verify RS256/,
      ) as string,
    ]);
  });
});

type Imports = NonNullable<Parameters<typeof Module>[0]['imports']>;

const keysOf = (path: string): DynamicModule =>
  JwksModule.forRoot({ signing: { path }, reloadIntervalMs: 0 });

const byName = (a = '', b = ''): number => (a < b ? -1 : 1);

/** A module with one controller. */
function moduleOf(controller: Type): Type {
  @Module({ controllers: [controller] })
  class One {}
  return One;
}

/** Boots a small application in this process; gives the lines of the failure, or none. */
async function bootProblems(imports: Imports): Promise<string[]> {
  @Module({ imports })
  class Root {}
  try {
    const app = await NestFactory.create(Root, { logger: false, abortOnError: false });
    await app.init();
    await app.close();
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

/** A controller with one signing route per pair. */
function controllerWith(pairs: readonly { alg: JwsAlgorithm; kid: string }[]): Type {
  @Controller()
  class Many {}
  for (const { alg, kid } of pairs) {
    const name = `${alg}_${kid}`;
    const handler = { value: (): unknown => ({}), writable: true, configurable: true };
    Object.defineProperty(Many.prototype, name, handler);
    SignFields({ fields: ['x'], alg, kid })(Many.prototype, name, handler);
    Post(`${alg}/${kid}`)(Many.prototype, name, handler);
  }
  return Many;
}

describe('the process of a boot that is refused', () => {
  const FULL = process.env.SIGNET_FAULTS === 'full';
  const milliseconds: number[] = [];
  const production = { NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1' };
  let path: string;
  let taken: Server;
  beforeAll(async () => {
    path = writeKeys([shape('oct')]);
    taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  });
  afterAll(() => void taken.close());

  it.each<[string, () => Record<string, string>]>([
    ['wrong variables', () => ({ PORT: 'x', SIGNER_ALG: 'none', BACKEND_HOST: 'ftp://u:p@b' })],
    ['no key file', () => keyEnv(`${path}.missing`, 'oct')],
    ['no such kid', () => keyEnv(path, 'sim2')],
    ['a key of another type', () => keyEnv(path, 'oct', 'ES256')],
    ['a validator without a key', () => ({ ...keyEnv(path, 'oct'), VALIDATOR_ALG: 'RS256' })],
    ['no key in production', () => production],
    ['a port that is taken', () => ({ PORT: String((taken.address() as AddressInfo).port) })],
  ])('%s: exit code 1, and the lines on stderr', async (_what, env) => {
    const start = performance.now();
    const { code, output } = await refuseToBoot(env());
    milliseconds.push(performance.now() - start);
    expect(code).toBe(1);
    const lines = linesOf(output, Object.values(shapes));
    expect(lines).not.toEqual([]);
    // What the rest of this file sees of the host is what a process writes.
    expect(lines).toEqual(await problems(env()));
  });

  it('ends in less than two seconds (F20)', () => {
    const [fastest = Infinity, ...others] = milliseconds.toSorted((a, b) => a - b);
    const slowest = Math.round(others.at(-1) ?? fastest);
    figure(`F20 ${Math.round(fastest)} to ${slowest} ms (criterion 2000)`);
    // The machine may be shared: then the fastest one counts.
    expect(FULL ? slowest : fastest).toBeLessThan(2000);
  });
});
