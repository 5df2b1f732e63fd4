import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigService } from '@nestjs/config';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayEnvironment } from '../config/index.js';
import { loadEnvironment, VARIABLES } from '../environment/index.js';
import { createLog } from '../logging/index.js';
import { createApp } from './create-app.js';

const names = new Set(VARIABLES.map(({ name }) => name));
const read: string[] = [];
const real = process.env;
const directory = mkdtempSync(join(tmpdir(), 'signet-'));
let app: NestExpressApplication;
let readByLoader: string[];

beforeAll(async () => {
  const envFile = join(directory, '.env');
  writeFileSync(
    envFile,
    '\uFEFFSTATE_STORE=memory: # of this process\r\nBACKEND_HOST=http://login:${PORT}\r\n',
  );
  process.env = new Proxy<NodeJS.ProcessEnv>(
    { PORT: '8081', SIGNER_JWK_LOCAL_PATH: join(directory, 'keys.json'), LOG_LEVEL: 'silent' },
    {
      get: (target, name) => {
        if (names.has(String(name))) read.push(String(name));
        return target[String(name)];
      },
    },
  );
  const { env } = loadEnvironment(envFile);
  readByLoader = read.splice(0);
  writeFileSync(env.SIGNER_JWK_LOCAL_PATH, JSON.stringify({ keys: [SECRET] }), { mode: 0o600 });
  app = await createApp(
    env as GatewayEnvironment,
    await createLog({ level: env.LOG_LEVEL, format: 'json' }),
  );
  await app.init();
});

afterAll(async () => {
  await app.close();
  process.env = real;
  rmSync(directory, { recursive: true });
});

const SECRET = {
  kty: 'oct',
  kid: 'k1',
  alg: 'HS256',
  k: Buffer.alloc(32, 1).toString('base64url'),
};

describe('an application', () => {
  it('reads no variable itself: the environment is read once, before it', () => {
    expect(new Set(readByLoader)).toContain('PORT');
    // Express reads this variable itself.
    expect(read.filter((name) => name !== 'NODE_ENV')).toEqual([]);
  });

  it('gives variables, typed, and the options of modules as ConfigService does', () => {
    const config = app.get(ConfigService);
    expect(config.get('PORT')).toBe(8081);
    expect(config.get('BACKEND_HOST')).toBe('http://login:8081');
    expect(config.get('SIGNER_ALG')).toBe('HS256');
    expect(config.get('backend.host')).toEqual(['http://login:8081']);
    expect(config.get('auth')).toMatchObject({ algorithms: ['HS256'], leeway: 1 });
  });

  it('leaves what .env added where other software looks for it', () => {
    expect(process.env).toMatchObject({ STATE_STORE: 'memory:', NODE_ENV: 'development' });
  });
});
