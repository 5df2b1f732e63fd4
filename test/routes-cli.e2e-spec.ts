import { resolve } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { RouteTable } from '../src/index.js';
import { runSignet } from './helpers/gateway/cli.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { ProtectedModule } from './fixtures/routes-app.js';

const APP = resolve('test/fixtures/routes-app.ts');
const routes = (...args: string[]) => runSignet(['routes', ...args], { cwd: process.cwd() });

describe('signet routes', () => {
  it('lists the routes of an application, and marks those that are open', async () => {
    const { code, stdout, stderr } = await routes(APP);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`\
METHOD  PATH            HANDLER                  ACCESS    ROLES        SCOPES  ISSUERS              SIGNED
GET     /orders         OrdersController.list    token     clerk,admin  read    https://issuer.test  -
POST    /orders         OrdersController.place   optional  -            -       https://issuer.test  receipt
GET     /orders/status  OrdersController.status  public    -            -       -                    -
GET     /forgotten/:id  ForgottenController.get  ! open    -            -       -                    -
`);
  });

  it('fails with --check while a route is open and not @Public()', async () => {
    const open = await routes(APP, '--check', '--prefix', 'api');
    expect([open.code, open.stderr]).toEqual([
      1,
      'signet: GET /api/forgotten/:id (ForgottenController.get) is open, and not @Public()\n',
    ]);
    const all = await routes(APP, '--check', '--export', 'ProtectedModule');
    expect([all.code, all.stderr]).toEqual([0, '']);
    expect(all.stdout).toMatch(/GET +\/forgotten\/:id +ForgottenController\.get +token /);
  });

  it('prints JSON for programs', async () => {
    const { stdout } = await routes(APP, '--json');
    expect((JSON.parse(stdout) as object[])[1]).toEqual({
      kind: 'http',
      method: 'POST',
      path: '/orders',
      handler: 'OrdersController.place',
      access: 'optional',
      roles: [],
      scopes: [],
      issuers: ['https://issuer.test'],
      signedFields: ['receipt'],
    });
  });

  it('lists the gateway itself, of which nothing is open by mistake', async () => {
    const env = { SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('HS256', 'sim2')]) };
    const setting = { cwd: process.cwd(), env };
    const { code, stdout, stderr } = await runSignet(['routes', '--check'], setting);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^POST +\/token +TokenController\.create +public .*access_token,refresh_token$/m,
    );
    expect(stdout).toMatch(/^GET +\/private\/custom .* token +role_a,role_c /m);
  });

  it.each<[string[], RegExp]>([
    [['nowhere.js'], /nowhere\.js cannot be loaded/],
    [[APP, '--export', 'Missing'], /exports no class Missing; give its name with --export/],
    [[APP, '--export', 'BareModule'], /has neither AuthModule nor SigningModule/],
  ])('says what is wrong with %j', async (args, problem) => {
    const { code, stderr } = await routes(...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(problem)]);
  });
});

it('RouteTable is there for tests of an application', async () => {
  const app = await NestFactory.create(ProtectedModule, { logger: false });
  expect(
    app
      .get(RouteTable)
      .rows()
      .filter(({ access }) => access === 'open'),
  ).toEqual([]);
  await app.close();
});
