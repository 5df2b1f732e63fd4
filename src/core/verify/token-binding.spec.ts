import { generateKeyPairSync, hash, randomUUID, sign, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { isCodedError } from '../errors/index.js';
import type { JwsKey } from '../jws/index.js';
import { generateJwk, importJwk } from '../keys/index.js';
import { signToken } from '../sign/index.js';
import type { RoutePolicyOptions } from './policy-options.js';
import { compilePolicy } from './token-policy.js';
import type { ProofMemory } from './dpop-proof.js';
import type { TokenHolder } from './token-binding.js';
import { verifyToken, type Verification } from './verify-token.js';

const DEFAULTS = { algorithms: ['ES256'], issuer: 'https://own', audience: 'api' } as const;
const URL = 'https://gw.example/orders';
const CERTIFICATE = hash('sha256', 'a certificate', 'base64url');
const now = (): number => Math.floor(Date.now() / 1000);

let signing: JwsKey;
let client: { jwk: JWK; privateKey: KeyObject };
let jkt: string;
beforeAll(async () => {
  const imported = importJwk({ ...generateJwk('ES256'), kid: 'k' });
  if (typeof imported === 'string') throw new Error(imported);
  signing = imported.key;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  client = { jwk: publicKey.export({ format: 'jwk' }), privateKey };
  jkt = await calculateJwkThumbprint(client.jwk);
});

function tokenWith(claims: object): string {
  const registered = { iss: 'https://own', aud: 'api', sub: 'u', exp: now() + 60 };
  const format = { alg: 'ES256', kid: 'k', typ: 'JWT', full: false } as const;
  return signToken({ ...registered, ...claims }, signing, format) as string;
}

function prove(token: string, claims: object = {}): string {
  const parts = [
    { typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk },
    { jti: randomUUID(), htm: 'GET', htu: URL, iat: now(), ath: hash('sha256', token, 'base64url'), ...claims },
  ]; // prettier-ignore
  const input = parts
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = { key: client.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

/** A memory that records the lifetime of each proof. */
class Memory implements ProofMemory {
  readonly used = new Map<string, number>();
  async useOnce(id: string, seconds: number): Promise<boolean> {
    if (this.used.has(id)) return false;
    this.used.set(id, seconds);
    return true;
  }
}

const holder = (changes: Partial<TokenHolder> = {}): TokenHolder => ({
  scheme: 'Bearer',
  method: 'GET',
  url: () => URL,
  proofs: () => [],
  certificate: () => CERTIFICATE,
  ...changes,
});
const byProof = (token: string, claims: object = {}, changes: Partial<TokenHolder> = {}) =>
  holder({ scheme: 'DPoP', proofs: () => [prove(token, claims)], ...changes });

/** `accepted`, or the code. */
async function verdict(
  token: string,
  presented: TokenHolder | undefined,
  route: RoutePolicyOptions = {},
  more: Partial<Verification> = {},
): Promise<string> {
  const keys = { verificationKeys: () => [signing], awaitVerificationKeys: async () => [] };
  const policy = compilePolicy({ dpop: true, ...route }, DEFAULTS);
  try {
    await verifyToken(token, policy, { keys, proofs: new Memory(), ...more }, presented);
    return 'accepted';
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return error.code;
  }
}

describe('a token with cnf', () => {
  const other = hash('sha256', 'x', 'base64url');
  it.each<[string, unknown]>([
    ['null', null],
    ['a string', 'x'],
    ['a list', []],
    ['an empty object', {}],
    ['a kid (RFC 7800)', { kid: 'k' }],
    ['a key (RFC 7800)', { jwk: { kty: 'EC' } }],
    ['x5t of SHA-1', { x5t: 'x' }],
    ['a jkt that is no text', { jkt: 1 }],
    ['a jkt in hex', { jkt: 'ab'.repeat(32) }],
    ['an empty jkt', { jkt: '' }],
    ['a list of jkt', { jkt: [other] }],
    ['a certificate that is no digest', { 'x5t#S256': 'x' }],
    ['another member that looks like ours', { 'ath#S256': other }],
    ['another member beside one that is fulfilled', { 'x5t#S256': CERTIFICATE, osc: other }],
    ['__proto__', JSON.parse('{"__proto__":{"jkt":"x"}}')],
  ])('of %s is refused, whatever it comes with', async (_name, cnf) => {
    const token = tokenWith({ cnf });
    expect(await verdict(token, byProof(token))).toBe('claim_invalid');
    expect(await verdict(token, holder())).toBe('claim_invalid');
    expect(await verdict(token, undefined)).toBe('claim_invalid');
    expect(await verdict(token, holder(), { dpop: false })).toBe('claim_invalid');
  }); // prettier-ignore

  it('is refused where nobody presents it', async () => {
    expect(await verdict(tokenWith({ cnf: { jkt } }), undefined)).toBe('dpop_proof_missing');
    const certified = tokenWith({ cnf: { 'x5t#S256': CERTIFICATE } });
    expect(await verdict(certified, undefined)).toBe('claim_invalid');
  });
});

describe('the table of schemes', () => {
  const BEARER = 'a bearer token';
  const BOUND = 'a bound token';
  const rows: [token: string, sent: string, dpop: boolean | 'required', verdict: string][] = [
    [BEARER, 'by Bearer', true, 'accepted'],
    [BEARER, 'by Bearer', false, 'accepted'],
    [BEARER, 'by Bearer', 'required', 'dpop_token_unbound'],
    [BEARER, 'by DPoP with a proof', true, 'dpop_token_unbound'],
    [BEARER, 'by DPoP with a proof', false, 'dpop_token_unbound'],
    [BEARER, 'by DPoP with a proof', 'required', 'dpop_token_unbound'],
    [BEARER, 'by DPoP without a proof', true, 'dpop_token_unbound'],
    [BEARER, 'in a cookie', true, 'accepted'],
    [BEARER, 'in a cookie', 'required', 'dpop_token_unbound'],
    [BOUND, 'by Bearer', true, 'dpop_scheme_needed'],
    [BOUND, 'by Bearer', false, 'dpop_disabled'],
    [BOUND, 'by Bearer', 'required', 'dpop_scheme_needed'],
    [BOUND, 'by Bearer with a proof', true, 'dpop_scheme_needed'],
    [BOUND, 'by DPoP with a proof', true, 'accepted'],
    [BOUND, 'by DPoP with a proof', false, 'dpop_disabled'],
    [BOUND, 'by DPoP with a proof', 'required', 'accepted'],
    [BOUND, 'by DPoP without a proof', true, 'dpop_proof_missing'],
    [BOUND, 'by DPoP without a proof', 'required', 'dpop_proof_missing'],
    [BOUND, 'in a cookie', true, 'dpop_scheme_needed'],
    [BOUND, 'in a cookie', 'required', 'dpop_scheme_needed'],
  ];
  it.each(rows)('%s %s, dpop %s: %s', async (kind, sent, dpop, wanted) => {
    const token = tokenWith(kind === BOUND ? { cnf: { jkt } } : {});
    const scheme = sent === 'in a cookie' ? undefined : sent.includes('DPoP') ? 'DPoP' : 'Bearer';
    const proofs = (): string[] => (sent.includes('with a proof') ? [prove(token)] : []);
    expect(await verdict(token, holder({ scheme, proofs }), { dpop })).toBe(wanted);
  });

  it('refuses a proof where nothing is remembered', async () => {
    const token = tokenWith({ cnf: { jkt } });
    const more = { proofs: undefined };
    expect(await verdict(token, byProof(token), {}, more)).toBe('dpop_disabled');
  });
});

describe('a proof', () => {
  it('counts once: for its key and issuer, whatever else changes', async () => {
    const proofs = new Memory();
    const [one, two] = [tokenWith({ cnf: { jkt } }), tokenWith({ cnf: { jkt }, sub: 'v' })];
    expect(await verdict(one, byProof(one, { jti: 'a' }), {}, { proofs })).toBe('accepted');
    expect(await verdict(one, byProof(one, { jti: 'a' }), {}, { proofs })).toBe('dpop_proof_reused');
    expect(await verdict(two, byProof(two, { jti: 'a' }), {}, { proofs })).toBe('dpop_proof_reused');
    expect(await verdict(one, byProof(one, { jti: 'b' }), {}, { proofs })).toBe('accepted');
    // Names are digests: as long as each other, whatever the client wrote.
    expect([...proofs.used.keys()].map(({ length }) => length)).toEqual([43, 43]);
  }); // prettier-ignore

  it('is remembered for longer than any server accepts it', async () => {
    const proofs = new Memory();
    const token = tokenWith({ cnf: { jkt } });
    const route = { dpopWindow: 10, leeway: 5 };
    for (const offset of [-14, 0, 14])
      await verdict(token, byProof(token, { iat: now() + offset }), route, { proofs });
    // Up to iat + window + leeway, and a minute for the clocks of others.
    expect([...proofs.used.values()].map((seconds) => Math.round(seconds / 5) * 5)).toEqual([
      60, 75, 90,
    ]);
  });

  it('is used up by no request that it does not open', async () => {
    const proofs = new Memory();
    const token = tokenWith({ cnf: { jkt } });
    expect(await verdict(token, byProof(token, { htm: 'PUT' }), {}, { proofs })).toBe('dpop_proof_mismatch');
    const expired = tokenWith({ cnf: { jkt }, exp: 1 });
    expect(await verdict(expired, byProof(expired), {}, { proofs })).toBe('token_expired');
    expect(proofs.used.size).toBe(0);
  }); // prettier-ignore

  it('may lie at either end of the window, which the leeway widens', async () => {
    const token = tokenWith({ cnf: { jkt } });
    const at = (offset: number): Promise<string> =>
      verdict(token, byProof(token, { iat: now() + offset }), { dpopWindow: 10, leeway: 5 });
    // A second passes between the making and the checking at times.
    expect([await at(-13), await at(14)]).toEqual(['accepted', 'accepted']);
    expect([await at(-16), await at(17)]).toEqual(['dpop_proof_expired', 'dpop_proof_expired']);
  });

  it('fails closed while nothing can be remembered', async () => {
    const down = Object.assign(new Error('down'), { code: 'state_unavailable', explanation: '' });
    const proofs: ProofMemory = { useOnce: () => Promise.reject(down) };
    const token = tokenWith({ cnf: { jkt } });
    expect(await verdict(token, byProof(token), {}, { proofs })).toBe('state_unavailable');
  });

  it('is checked before roles are, and after what ends a token', async () => {
    const token = tokenWith({ cnf: { jkt } });
    const revocations = { isRevoked: () => true, noteExpiry: () => undefined };
    expect(await verdict(token, holder(), { roles: ['r'] })).toBe('dpop_scheme_needed');
    expect(await verdict(token, byProof(token), { roles: ['r'] })).toBe('roles_missing');
    expect(await verdict(token, holder(), {}, { revocations })).toBe('token_revoked');
  });
});

describe('a proof that was used before, at a token endpoint (RFC 9449 section 5)', () => {
  const proven = (key: string | undefined): TokenHolder =>
    holder({
      scheme: undefined,
      proven: { key },
      proofs: () => {
        throw new Error('a proof is read twice');
      },
    });
  it.each<[string, () => object, () => string | undefined, string]>([
    ['opens what is bound to its key', () => ({ cnf: { jkt } }), () => jkt, 'accepted'],
    ['opens nothing of another key', () => ({ cnf: { jkt } }), () => CERTIFICATE, 'dpop_key_mismatch'],
    ['that is not there opens nothing bound', () => ({ cnf: { jkt } }), () => undefined, 'dpop_proof_missing'],
    ['does no harm to what is not bound', () => ({}), () => jkt, 'accepted'],
    ['that is not there does no harm to it, either', () => ({}), () => undefined, 'accepted'],
    ['does not make up for a certificate', () => ({ cnf: { jkt, 'x5t#S256': jkt } }), () => jkt, 'claim_invalid'],
  ])('%s', async (_, claims, key, expected) => {
    expect(await verdict(tokenWith(claims()), proven(key()))).toBe(expected);
  }); // prettier-ignore

  it('does not count where proofs do not', async () => {
    const token = tokenWith({ cnf: { jkt } });
    expect(await verdict(token, proven(jkt), { dpop: false })).toBe('dpop_disabled');
  });
});

describe('a client certificate', () => {
  const certified = (): string => tokenWith({ cnf: { 'x5t#S256': CERTIFICATE } });
  const another = (): string => hash('sha256', 'another', 'base64url');

  it('opens what is bound to it, by Bearer and without DPoP', async () => {
    for (const dpop of [true, false]) {
      expect(await verdict(certified(), holder(), { dpop })).toBe('accepted');
      expect(await verdict(certified(), holder({ certificate: another }), { dpop })).toBe('claim_invalid');
    }
    expect(await verdict(certified(), holder(), { dpop: 'required' })).toBe('dpop_token_unbound');
  }); // prettier-ignore

  it('is needed beside a proof where a token names both', async () => {
    const token = tokenWith({ cnf: { jkt, 'x5t#S256': CERTIFICATE } });
    expect(await verdict(token, byProof(token))).toBe('accepted');
    expect(await verdict(token, byProof(token, {}, { certificate: another }))).toBe('claim_invalid');
    expect(await verdict(token, holder())).toBe('dpop_scheme_needed');
  }); // prettier-ignore
});

describe('a bearer token', () => {
  it('costs nothing of all that: nothing of its holder is read, nothing remembered', async () => {
    const fail = (): never => {
      throw new Error('it was read');
    };
    const untouched = {
      scheme: 'Bearer',
      get method() {
        return fail();
      },
      url: fail,
      proofs: fail,
      certificate: fail,
    } as const;
    const proofs = { useOnce: fail, nonces: { lifetime: 1, current: fail, accepts: fail } };
    expect(await verdict(tokenWith({}), untouched, {}, { proofs })).toBe('accepted');
    await expect(verdict(tokenWith({ cnf: { 'x5t#S256': CERTIFICATE } }), untouched)).rejects.toThrow('it was read');
  }); // prettier-ignore
});
