// What `signet explain` and `/_explain` say of tokens of several issuers: which issuer was chosen, which keys
// were looked at, which of them were skipped, and why.
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../src/core/explain/index.js';
import { runSignet } from './helpers/gateway/cli.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { tokenOf } from './helpers/issuers/issuer.js';
import { startIssuerServer, type IssuerServer } from './helpers/issuers/issuer-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { postForm } from './helpers/sessions/sessions.js';

const OWN = 'https://gateway.example.com';
/** The kid of everybody's first key. */
const KID = '1';
let own: JWK, keyOfA: JWK, keyOfB: JWK, second: JWK, odd: JWK;
let a: IssuerServer, b: IssuerServer, away: IssuerServer;
let env: Record<string, string>;
let gateway: Gateway;

beforeAll(async () => {
  const generate = (kid: string): Promise<JWK> => generateJwk('ES256', kid);
  [own, keyOfA, keyOfB] = [await generate(KID), await generate(KID), await generate(KID)];
  [second, odd] = [await generate('b2'), await generate('odd')];
  [a, b, away] = await Promise.all([
    startIssuerServer(),
    startIssuerServer([keyOfB, second]),
    startIssuerServer(),
  ]);
  a.publish([publicHalf(keyOfA), { ...publicHalf(odd), alg: 'HPKE-0' }], {
    id_token_signing_alg_values_supported: ['ES256', 'RS256'],
  });
  await away.down();
  env = {
    SIGNER_ALG: 'ES256',
    SIGNER_JWK_LOCAL_PATH: writeKeys([own]),
    SIGNER_ISSUER: OWN,
    VALIDATOR_ISSUER: [OWN, a.issuer, b.issuer, away.issuer].join(),
    JWK_HTTP_HOSTS: '127.0.0.1',
  };
  gateway = await hostGateway(env);
});
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([a, b, away].map((server) => server?.down()));
});

/** The explanation of the gateway, which is that of the command, too, and what the command prints. */
async function explain(token: string): Promise<Explanation & { text: string }> {
  const { json } = await postForm(`${gateway.url}/_explain`, { token });
  const setting = { cwd: gateway.cwd, env };
  const here = await runSignet(['explain', token, '--json'], setting);
  expect([here.stderr, JSON.parse(here.stdout)]).toEqual(['', json]);
  const { stdout: text } = await runSignet(['explain', token], setting);
  for (const part of token.split('.').filter(({ length }) => length > 12))
    expect(text + JSON.stringify(json)).not.toContain(part);
  return { ...(json as unknown as Explanation), text };
}
const checkOf = ({ checks }: Explanation, name: string) =>
  checks.find(({ check }) => check === name);

describe('of a token', () => {
  it('that is accepted: its issuer, and the keys of that one', async () => {
    const explanation = await explain(await tokenOf(keyOfA, { iss: a.issuer }));
    expect(explanation.accepted).toBe(true);
    expect(checkOf(explanation, 'issuer')).toEqual({
      check: 'issuer',
      verdict: 'passed',
      found: `iss "${a.issuer}"`,
    });
    expect(checkOf(explanation, 'key')).toEqual({
      check: 'key',
      verdict: 'passed',
      found: 'kid "1"',
      notes: [
        `keys of ${a.issuer}: 1`,
        "not used: kid 'odd' is for alg 'HPKE-0', which is not a JWS algorithm; it is skipped",
        'announced algorithms: RS256, ES256',
      ],
    });
    expect(explanation.text).toContain(`\n                          keys of ${a.issuer}: 1\n`);
  });

  it('of an unknown issuer: which ones are accepted, and no key is looked at', async () => {
    const explanation = await explain(await tokenOf(keyOfA, { iss: `${a.issuer}/` }));
    expect(explanation).toMatchObject({ accepted: false, code: 'issuer_mismatch' });
    expect(explanation.checks).toMatchObject([
      { check: 'format', verdict: 'passed' },
      {
        check: 'issuer',
        verdict: 'refused',
        code: 'issuer_mismatch',
        found: `iss "${a.issuer}/"`,
        reason: `issuer "${a.issuer}/" is not one of: ${OWN}, ${a.issuer}, ${b.issuer}, ${away.issuer}`,
        fix: expect.stringContaining('VALIDATOR_ISSUER has to name its iss') as string,
      },
      { check: 'key', verdict: 'not checked' },
    ]);
  });

  it('by a key of another issuer, whose kid both have: whose key it is', async () => {
    const explanation = await explain(await tokenOf(keyOfB, { iss: a.issuer }));
    expect(explanation).toMatchObject({ accepted: false, code: 'signature_invalid' });
    expect(checkOf(explanation, 'signature')).toMatchObject({
      verdict: 'refused',
      fix: `the key '1' of ${b.issuer} made the signature, and the token names another issuer in iss; a key of one issuer verifies no token of another`,
    });
  });

  it('by a key of another issuer, whose kid that one alone has: the same', async () => {
    const explanation = await explain(await tokenOf(second, { iss: OWN }));
    expect(explanation).toMatchObject({ accepted: false, code: 'key_not_found' });
    expect(checkOf(explanation, 'key')).toMatchObject({
      verdict: 'refused',
      notes: [expect.stringMatching(/^keys of .*keys\.json: 1$/)],
      fix: expect.stringContaining(`the key 'b2' of ${b.issuer} made the signature`) as string,
    });
  });

  it('that names a skipped key: why it is skipped', async () => {
    const explanation = await explain(await tokenOf(odd, { iss: a.issuer }));
    expect(explanation).toMatchObject({ accepted: false, code: 'key_not_found' });
    expect(checkOf(explanation, 'key')).toMatchObject({
      verdict: 'refused',
      code: 'key_not_found',
      fix: expect.stringMatching(/publishes the key.*cannot be used: kid 'odd' is for alg 'HPKE-0'/) as string,
    });
    expect(explanation.text).toMatch(/^ +not used: kid 'odd' is for alg 'HPKE-0'/m);
  }); // prettier-ignore

  it('with an algorithm that its issuer does not announce: which ones it does', async () => {
    const other = await generateJwk('PS256', 'p');
    const explanation = await explain(await tokenOf(other, { iss: a.issuer }));
    expect(explanation).toMatchObject({ accepted: false, code: 'key_not_found' });
    expect(checkOf(explanation, 'key')?.fix).toBe(
      'the issuer announces RS256, ES256 in its metadata, so a token with PS256 is not taken for one of its own',
    );
  });

  it('of an issuer that is away: that it is, and why', async () => {
    const explanation = await explain(await tokenOf(keyOfA, { iss: away.issuer }));
    expect(explanation).toMatchObject({ accepted: false, code: 'keys_unavailable' });
    expect(checkOf(explanation, 'issuer')).toMatchObject({ verdict: 'passed' });
    expect(checkOf(explanation, 'key')).toEqual({
      check: 'key',
      verdict: 'not checked',
      reason: `JWK ${away.issuer}: no keys yet`,
      notes: [`JWK ${away.issuer}: cannot be fetched (ECONNREFUSED); there are no keys`],
      fix: expect.stringContaining(`${away.issuer} can be reached`) as string,
    });
    expect(explanation.text).toMatch(/The token is refused: keys_unavailable\n$/);
  });

  it('that is bound to a key: that a proof has to come with it', async () => {
    const cnf = { jkt: 'k'.repeat(43) };
    const explanation = await explain(await tokenOf(keyOfB, { iss: b.issuer, cnf }));
    expect(explanation).toMatchObject({ accepted: false, code: 'dpop_proof_missing' });
    expect(checkOf(explanation, 'key')?.notes).toEqual([`keys of ${b.issuer}: 1, b2`]);
    expect(checkOf(explanation, 'binding')).toMatchObject({
      verdict: 'refused',
      reason: expect.stringContaining(`bound to the key ${cnf.jkt}`) as string,
      fix: expect.stringContaining('Authorization: DPoP <token>') as string,
    });
  });
});

it('the keys of other issuers may be a file, relative to where the command runs', async () => {
  const { VALIDATOR_ISSUER: _all, ...rest } = env;
  const VALIDATOR_JWK_LOCAL_PATH = writeKeys([publicHalf(keyOfA)]);
  const explained = await runSignet(
    ['explain', await tokenOf(keyOfA, { iss: a.issuer }), '--json'],
    {
      cwd: VALIDATOR_JWK_LOCAL_PATH.replace(/\/[^/]*$/, ''),
      env: {
        ...rest,
        VALIDATOR_ISSUER: `${OWN},${a.issuer}`,
        VALIDATOR_JWK_LOCAL_PATH: 'keys.json',
      },
    },
  );
  expect(JSON.parse(explained.stdout)).toMatchObject({ accepted: true });
});
