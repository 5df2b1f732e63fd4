import { createHmac, hash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import * as jose from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../errors/index.js';
import type { JwsAlgorithm } from '../jws/index.js';
import { generateJwk } from '../keys/index.js';
import {
  useDpopProof,
  verifyDpopProof,
  type ExpectedProof,
  type NonceSource,
  type ProofMemory,
} from './dpop-proof.js';
import { compilePolicy } from './token-policy.js';

const NOW = 1_800_000_000;
const TOKEN = 'a.b.c';
const ATH = hash('sha256', TOKEN, 'base64url');
const { dpopAlgorithms } = compilePolicy({}, { algorithms: ['ES256'], issuer: 'i', audience: 'a' });
const ALGORITHMS = [...dpopAlgorithms];

interface Pair {
  readonly alg: string;
  readonly jwk: jose.JWK;
  readonly privateKey: KeyObject;
}
function pairOf(alg: string, type: 'ec' | 'rsa', options: object): Pair {
  const { publicKey, privateKey } = generateKeyPairSync(
    type as 'ec',
    options as never,
  ) as unknown as {
    publicKey: KeyObject;
    privateKey: KeyObject;
  };
  return { alg, jwk: publicKey.export({ format: 'jwk' }), privateKey };
}

let mine: Pair;
let other: Pair;
let jkt: string;
beforeAll(async () => {
  mine = pairOf('ES256', 'ec', { namedCurve: 'P-256' });
  other = pairOf('ES256', 'ec', { namedCurve: 'P-256' });
  jkt = await jose.calculateJwkThumbprint(mine.jwk);
});

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const CLAIMS = { jti: 'j1', htm: 'GET', htu: 'https://gw.example/orders', iat: NOW, ath: ATH };

/** A proof with some members changed; `undefined` leaves one out, a text takes the place of all of them. */
function prove(header: object | string = {}, claims: object | string = {}, pair = mine): string {
  const input = [
    typeof header === 'string'
      ? header
      : { typ: 'dpop+jwt', alg: pair.alg, jwk: pair.jwk, ...header },
    typeof claims === 'string' ? claims : { ...CLAIMS, ...claims },
  ]
    .map(encode)
    .join('.');
  const signature = sign('sha256', Buffer.from(input), {
    key: pair.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${input}.${signature.toString('base64url')}`;
}

/** What is different in a case, and the nonces that are asked for. */
type Changes = Partial<ExpectedProof> & { readonly nonces?: NonceSource };
const expected = (changes: Partial<ExpectedProof> = {}): ExpectedProof => ({
  algorithms: dpopAlgorithms,
  method: 'GET',
  url: 'https://gw.example/orders',
  token: TOKEN,
  thumbprint: jkt,
  now: NOW,
  window: 60,
  ...changes,
});

/** `accepted`, or code and reason. */
async function verdict(
  proofs: string | readonly string[],
  { nonces: asked, ...changes }: Changes = {},
): Promise<string> {
  try {
    await verifyDpopProof([proofs].flat(), expected(changes), asked);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return `${error.code}: ${error.explanation}`;
  }
}

const nonces = (...good: string[]): NonceSource => ({
  lifetime: 300,
  current: async () => good[0] ?? '',
  accepts: async (nonce) => good.includes(nonce),
});

type Row = readonly [
  rule: string,
  proof: () => string | readonly string[],
  verdict: RegExp,
  changes?: Changes,
];

/** A row, or more, for each rule of RFC 9449 section 4.3, in its order; each changes one thing. */
const RULES: readonly Row[] = [
  ['0 all is well', () => prove(), /^accepted$/],
  ['1 no header', () => [], /^dpop_proof_missing: there is no DPoP header/],
  ['1 an empty header', () => '', /^dpop_proof_missing/],
  ['1 two headers', () => [prove(), prove()], /^dpop_proof_invalid: .*more than one DPoP header/],
  ['2 two proofs in one header', () => `${prove()}, ${prove()}`, /^dpop_proof_invalid: .*not three parts/],
  ['2 no JWT', () => 'x', /^dpop_proof_invalid: .*no well-formed JWT: not three parts/],
  ['2 padding', () => `${prove()}=`, /^dpop_proof_invalid: .*base64url without padding/],
  ['2 no JSON in the header', () => prove('{'), /^dpop_proof_invalid: .*header is not a JSON object/],
  ['2 a member twice', () => prove(`{"typ":"dpop+jwt","alg":"ES256","alg":"ES256","jwk":${JSON.stringify(mine.jwk)}}`), /^dpop_proof_invalid: .*unique members/],
  ['2 no JSON in the payload', () => prove({}, '[]'), /^dpop_proof_invalid: .*payload is not a JSON object/],
  ['2 no UTF-8 in the payload', () => prove().replace(/\.[^.]+\./, `.${Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')}.`), /^dpop_proof_invalid: .*payload/],
  ['2 a critical extension', () => prove({ crit: ['exp'] }), /^dpop_proof_invalid: .*crit or b64/],
  ['2 crit within crit', () => prove({ crit: [{ crit: ['b64'] }], b64: false }), /^dpop_proof_invalid: .*crit or b64/],
  ['2 JSON that nests deeply', () => prove(`{"typ":"dpop+jwt","alg":"ES256","jwk":${'['.repeat(2000)}${']'.repeat(2000)}}`), /^dpop_proof_invalid: .*no jwk/],
  ['2 far too long', () => 'x'.repeat(100_000), /^dpop_proof_invalid: .*longer than 8192 characters/],
  ['3 no jti', () => prove({}, { jti: undefined }), /^dpop_proof_invalid: .*jti is \(none\), expected a string/],
  ['3 an empty jti', () => prove({}, { jti: '' }), /^dpop_proof_invalid: .*jti is ""/],
  ['3 a jti that is no text', () => prove({}, { jti: 7 }), /^dpop_proof_invalid: .*jti is 7/],
  ['3 no htm', () => prove({}, { htm: undefined }), /^dpop_proof_mismatch: .*htm is \(none\)/],
  ['3 no htu', () => prove({}, { htu: undefined }), /^dpop_proof_mismatch: .*htu is \(none\)/],
  ['3 no iat', () => prove({}, { iat: undefined }), /^dpop_proof_invalid: .*iat is \(none\)/],
  ['3 an iat that is no number', () => prove({}, { iat: String(NOW) }), /^dpop_proof_invalid: .*iat is "1800000000"/],
  ['3 an iat beyond all numbers', () => prove({}, JSON.stringify(CLAIMS).replace(String(NOW), '1e400')), /^dpop_proof_invalid: .*iat is 1e400/],
  ['3 no ath', () => prove({}, { ath: undefined }), /^dpop_proof_mismatch: .*ath is \(none\), expected the SHA-256/],
  ['4 no typ', () => prove({ typ: undefined }), /^dpop_proof_invalid: .*typ is \(none\), expected "dpop\+jwt"/],
  ['4 typ of an access token', () => prove({ typ: 'JWT' }), /^dpop_proof_invalid: .*typ is "JWT"/],
  ['4 typ in another case', () => prove({ typ: 'DPoP+JWT' }), /^dpop_proof_invalid: .*typ is/],
  ['5 alg none', () => `${encode({ typ: 'dpop+jwt', alg: 'none', jwk: mine.jwk })}.${encode(CLAIMS)}.`, /^dpop_proof_invalid: .*alg is "none", expected one of: RS256/],
  ['5 no alg', () => prove({ alg: undefined }), /^dpop_proof_invalid: .*no alg/],
  ['5 an algorithm that is not allowed', () => prove(), /^dpop_proof_invalid: .*alg is "ES256", expected one of: PS256/, { algorithms: new Set<JwsAlgorithm>(['PS256']) }],
  ['5 HS256 with the public key as secret', () => hmacProof({ ...mine.jwk }), /^dpop_proof_invalid: .*alg is "HS256"/],
  ['5 HS256 with its secret in the jwk', () => hmacProof({ kty: 'oct', k: SECRET }), /^dpop_proof_invalid: .*alg is "HS256"/],
  ['5 another algorithm than the key is for', () => prove({ alg: 'ES384' }), /^dpop_proof_invalid: .*ES384 needs curve P-384/],
  ['6 no jwk', () => prove({ jwk: undefined }), /^dpop_proof_invalid: .*no jwk/],
  ['6 a jwk that is a text', () => prove({ jwk: JSON.stringify(mine.jwk) }), /^dpop_proof_invalid: .*no jwk/],
  ['6 a jwk of which a member is missing', () => prove({ jwk: { ...mine.jwk, y: undefined } }), /^dpop_proof_invalid: .*cannot be used/],
  ['6 a point beside the curve', () => prove({ jwk: { ...mine.jwk, y: mine.jwk.x } }), /^dpop_proof_invalid: .*cannot be used/],
  ['6 an encryption key', () => prove({ jwk: { ...mine.jwk, crv: 'X25519\n\u0085', kty: 'OKP' } }), /^dpop_proof_invalid: .*cannot be used: [\x20-\x7e]*$/],
  ['6 the key of somebody else', () => prove({ jwk: mine.jwk }, {}, other), /^dpop_proof_invalid: .*signature does not fit/],
  ['6 a changed payload', () => prove().replace(/\.[^.]+\./, `.${encode({ ...CLAIMS, jti: 'j2' })}.`), /^dpop_proof_invalid: .*signature does not fit/],
  ['6 a key of 1024 bits', () => weakProof(), /^dpop_proof_invalid: .*1024 bits; at least 2048/],
  ['6 a key of 8192 bits', () => prove({ alg: 'RS256', jwk: { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1024, 255).toString('base64url') } }), /^dpop_proof_invalid: .*more than 4096 bits/],
  ['7 a private jwk', () => prove({ jwk: mine.privateKey.export({ format: 'jwk' }) }), /^dpop_proof_invalid: .*'d': that is a private key/],
  ...['p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].map(
    (name): Row => [`7 a jwk with ${name}`, () => prove({ jwk: { ...mine.jwk, [name]: 'AQAB' } }), new RegExp(`'${name}': that is a private key`)],
  ),
  ['8 another method', () => prove({}, { htm: 'POST' }), /^dpop_proof_mismatch: .*htm is "POST", the method of the request is GET/],
  ['8 the method in lower case', () => prove({}, { htm: 'get' }), /^dpop_proof_mismatch: .*htm/],
  ['8 a list of methods', () => prove({}, { htm: ['GET'] }), /^dpop_proof_mismatch: .*htm/],
  ['9 another path', () => prove({}, { htu: 'https://gw.example/order' }), /^dpop_proof_mismatch: .*htu is "https:\/\/gw.example\/order", the URL of the request is https:\/\/gw.example\/orders$/],
  ['9 another host', () => prove({}, { htu: 'https://evil.example/orders' }), /^dpop_proof_mismatch: .*htu/],
  ['9 another scheme', () => prove({}, { htu: 'http://gw.example/orders' }), /^dpop_proof_mismatch: .*htu/],
  ['9 another port', () => prove({}, { htu: 'https://gw.example:8443/orders' }), /^dpop_proof_mismatch: .*htu/],
  ['9 no absolute URL', () => prove({}, { htu: '/orders' }), /^dpop_proof_mismatch: .*htu/],
  ['9 a user name', () => prove({}, { htu: 'https://u@gw.example/orders' }), /^dpop_proof_mismatch: .*htu/],
  ['9 a URL in another spelling, with query and fragment', () => prove({}, { htu: 'HTTPS://GW.example:443/a/../%6frders?x=1#y' }), /^accepted$/],
  ['9 a request without a valid URL', () => prove(), /^dpop_proof_mismatch: .*the URL of the request is not valid/, { url: undefined }],
  ['10 no nonce', () => prove(), /^dpop_nonce_needed: .*it has no nonce/, { nonces: nonces('n1', 'n0') }],
  ['10 an old nonce', () => prove({}, { nonce: 'n' }), /^dpop_nonce_needed: .*not one of now/, { nonces: nonces('n1', 'n0') }],
  ['10 a nonce that is no text', () => prove({}, { nonce: ['n1'] }), /^dpop_nonce_needed/, { nonces: nonces('n1') }],
  ['10 the nonce of now', () => prove({}, { nonce: 'n1' }), /^accepted$/, { nonces: nonces('n1', 'n0') }],
  ['10 the nonce before', () => prove({}, { nonce: 'n0' }), /^accepted$/, { nonces: nonces('n1', 'n0') }],
  ['10 a nonce that nobody asked for', () => prove({}, { nonce: 'x' }), /^accepted$/],
  ['11 iat at the end of the window', () => prove({}, { iat: NOW - 60 }), /^accepted$/],
  ['11 iat before the window', () => prove({}, { iat: NOW - 61 }), /^dpop_proof_expired: .*iat is 1799999939, now is 1800000000; they may differ by 60 s/],
  ['11 iat a fraction before the window', () => prove({}, { iat: NOW - 60.001 }), /^dpop_proof_expired/],
  ['11 iat ahead, within the window', () => prove({}, { iat: NOW + 60 }), /^accepted$/],
  ['11 iat ahead of the window', () => prove({}, { iat: NOW + 61 }), /^dpop_proof_expired/],
  ['11 a wrong clock, with a nonce that dates the proof', () => prove({}, { iat: NOW - 86_400, nonce: 'n1' }), /^accepted$/, { nonces: nonces('n1') }],
  ['12 the hash of another token', () => prove({}, { ath: hash('sha256', 'a.b.d', 'base64url') }), /^dpop_proof_mismatch: .*ath/],
  ['12 the hash in hex', () => prove({}, { ath: hash('sha256', TOKEN, 'hex') }), /^dpop_proof_mismatch: .*ath/],
  ['12 the hash with padding', () => prove({}, { ath: `${ATH}=` }), /^dpop_proof_mismatch: .*ath/],
  ['12 another key than the token is bound to', () => prove({}, {}, other), /^dpop_key_mismatch: the proof is by the key .{43}, the token is bound to .{43}$/],
]; // prettier-ignore

const SECRET = 'c'.repeat(43);
function hmacProof(jwk: object): string {
  const input = `${encode({ typ: 'dpop+jwt', alg: 'HS256', jwk })}.${encode(CLAIMS)}`;
  const secret = Buffer.from(SECRET, 'base64url');
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
function weakProof(): string {
  const pair = pairOf('RS256', 'rsa', { modulusLength: 1024 });
  return prove({}, {}, pair);
}

describe('a DPoP proof: rule of RFC 9449 section 4.3', () => {
  const rows = RULES.map(([rule, proof, wanted, changes]) => ({ rule, proof, wanted, changes }));
  it.each(rows)('$rule', async ({ proof, wanted, changes }) => {
    expect(await verdict(proof(), changes)).toMatch(wanted);
  });

  it('covers all twelve', () => {
    expect(new Set(RULES.map(([rule]) => Number(rule.split(' ', 1)[0]))).size).toBe(13);
  });
});

describe('a DPoP proof', () => {
  it.each(ALGORITHMS)('is accepted as jose makes it with %s', async (alg) => {
    const priv = generateJwk(alg, 2048) as jose.JWK & Record<string, unknown>;
    const jwk = Object.fromEntries(
      ['kty', 'crv', 'x', 'y', 'n', 'e', 'pub', ...(priv.kty === 'AKP' ? ['alg'] : [])]
        .map((name) => [name, priv[name]])
        .filter(([, value]) => value !== undefined),
    ) as jose.JWK;
    const proof = await new jose.SignJWT({ htm: 'GET', htu: CLAIMS.htu, ath: ATH })
      .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk })
      .setJti('j')
      .setIssuedAt(NOW)
      .sign(await jose.importJWK(priv, alg));
    const thumbprint = await jose.calculateJwkThumbprint(jwk);
    expect(await verifyDpopProof([proof], expected({ thumbprint }))).toMatchObject({
      thumbprint,
      jti: 'j',
    });
  });

  it('needs no token and no certain key where there is none', async () => {
    const changes = { token: undefined, thumbprint: undefined };
    const proof = prove({}, { ath: undefined }, other);
    const thumbprint = await jose.calculateJwkThumbprint(other.jwk);
    expect(await verifyDpopProof([proof], expected(changes))).toMatchObject({ thumbprint });
  });

  it('counts once for its key and issuer, and again for another key, issuer or jti', async () => {
    const used = new Set<string>();
    const memory: ProofMemory = {
      useOnce: async (id) => !used.has(id) && used.add(id).has(id),
    };
    const use = async (issuer: unknown, jti: string, pair = mine): Promise<string> => {
      const { thumbprint: _any, ...rest } = expected();
      try {
        await useDpopProof([prove({}, { jti }, pair)], { ...rest, issuer }, memory);
        return 'accepted';
      } catch (error) {
        return (error as TokenRefusedError).code;
      }
    };
    for (const wanted of ['accepted', 'dpop_proof_reused'])
      expect([
        await use('https://a', 'j'),
        await use('https://b', 'j'),
        await use('https://a', 'k'),
        await use('https://a', 'j', other),
      ]).toEqual([wanted, wanted, wanted, wanted]);
  });

  it('tells for how long it would be accepted again', async () => {
    for (const [iat, seconds] of [
      [NOW, 60],
      [NOW + 60, 120],
      [NOW - 60, 0],
    ]) {
      const { acceptedFor } = await verifyDpopProof([prove({}, { iat })], expected());
      expect(acceptedFor).toBe(seconds);
    }
    const withNonce = [prove({}, { nonce: 'n' })];
    const { acceptedFor } = await verifyDpopProof(withNonce, expected(), nonces('n'));
    expect(acceptedFor).toBe(300);
  });

  it('is not shown in reasons as a whole, nor with characters that change a log', async () => {
    const htu = `https://gw.example/\n\u009b31m\u202e${'x'.repeat(3000)}`;
    const reason = await verdict(prove({}, { htu }));
    expect(reason).toMatch(/^[\x20-\x7e]{1,400}$/);
  });

  it('is looked at for everything else first: a signature is computed for a proof that is right otherwise', async () => {
    for (const [rule, proof, wanted, changes] of RULES) {
      const proofs = [proof()].flat();
      if (proofs.length !== 1) continue;
      // A signature of the right length that is wrong.
      const broken = proofs[0]?.replace(/[\w-]{20}$/, 'A'.repeat(20)) ?? '';
      const verdictOfBroken = await verdict(broken, changes);
      const otherwiseRight = /accepted|signature/.test(String(wanted));
      expect(`${rule}: ${verdictOfBroken}`).toMatch(
        otherwiseRight ? /signature does not fit/ : new RegExp(String(wanted).slice(2, -1)),
      );
    }
  });
});
