import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { HOP_TOKEN_TYPE, readClaim, scopesOf } from '../core/claims/index.js';
import { BootError } from '../core/errors/index.js';
import { toNumber } from '../core/json/index.js';
import { isAsymmetric } from '../core/jws/index.js';
import { compileSigningPolicy, type TokenFormat } from '../core/sign/index.js';
import { nowSeconds } from '../core/time/index.js';
import {
  HopTokens,
  type HopTokenMaker,
  type HopTokenRequest,
  type HopUser,
} from '../http/index.js';
import { JwtSigner } from './jwt-signer.service.js';
import { SIGNING_OPTIONS, type SigningModuleOptions } from './signing.module-definition.js';

/** Maximum length of all keys of the cache together, in characters. */
const MAX_CHARACTERS = 4_000_000;

interface CachedToken {
  readonly token: string | Promise<string>;
  /** Seconds since 1970. Until then the token is used again: half of its lifetime remains. */
  readonly freshUntil: number;
}

/** The tokens that were made on behalf of one presented token. */
interface UserEntry {
  /** Transaction id of the calls that are made at about the same time. */
  txn: string;
  /** Seconds since 1970: the latest `exp` of a token with this `txn`. */
  txnUntil: number;
  readonly byRequest: WeakMap<HopTokenRequest, CachedToken>;
}

/**
 * Makes the token that a backend call carries in `Txn-Token` (draft-ietf-oauth-transaction-tokens). It is for one
 * audience, expires after some seconds and never after the token that the client presented, and holds no scope that
 * that token lacks. It is used again while half of its lifetime remains.
 */
@Injectable()
export class HopTokenSigner implements HopTokenMaker {
  /** By presented token; the key of calls without a user is the empty string. The oldest entry is first. */
  private readonly users = new Map<string, UserEntry>();
  private characters = 0;
  private readonly format: TokenFormat;
  private readonly issuer: string | undefined;
  private isChecked = false;

  constructor(
    @Inject(SIGNING_OPTIONS) options: SigningModuleOptions,
    private readonly signer: JwtSigner,
    hops: HopTokens,
  ) {
    const { format } = compileSigningPolicy({}, options).field('access_token');
    this.format = { ...format, typ: HOP_TOKEN_TYPE, full: false };
    this.issuer = options.issuer;
    hops.use(this);
  }

  /** Checks, once, that the options allow such tokens. @throws BootError where `issuer` is missing */
  assertUsable(): void {
    if (this.isChecked) return;
    this.isChecked = true;
    if (this.issuer === undefined)
      throw new BootError('the option issuer of SigningModule is needed for tokens for backends');
    if (!isAsymmetric(this.format.alg))
      new Logger('Signing').warn(
        `Tokens for backends are signed with ${this.format.alg}: a backend that checks them needs the secret, and could make tokens of users; set the option alg of SigningModule to an asymmetric one, e.g. ES256`,
      );
  }

  make(request: HopTokenRequest, user: HopUser | undefined): string | Promise<string> {
    const now = nowSeconds();
    const entry = this.entryOf(user?.token ?? '');
    const cached = entry.byRequest.get(request);
    if (cached !== undefined && now < cached.freshUntil) return cached.token;
    const exp = Math.min(now + request.ttl, toNumber(user?.claims.exp) ?? Infinity);
    const txn = this.txnOf(entry, user, now, exp);
    const claims = this.claims(request, user, { now, exp, txn });
    const token = this.signer.sign(claims, this.format);
    const freshUntil = now + Math.floor((exp - now) / 2);
    entry.byRequest.set(request, { token, freshUntil });
    if (typeof token !== 'string')
      token.then(
        (signed) => void entry.byRequest.set(request, { token: signed, freshUntil }),
        () => void entry.byRequest.delete(request),
      );
    return token;
  }

  private claims(
    { audience, claims: names, scopes }: HopTokenRequest,
    user: HopUser | undefined,
    { now, exp, txn }: { now: number; exp: number; txn: string },
  ): Record<string, unknown> {
    const claims: Record<string, unknown> = {};
    if (user !== undefined) {
      for (const name of names) {
        const value = readClaim(user.claims, name, true);
        if (value !== undefined) claims[name] = value;
      }
      const sub = readClaim(user.claims, 'sub', false);
      if (sub !== undefined) claims.sub = sub;
      const held = scopesOf(readClaim(user.claims, user.scopesKey, true));
      const granted = scopes.filter((scope) => held.includes(scope));
      if (granted.length > 0) claims.scope = granted.join(' ');
    }
    return { ...claims, iss: this.issuer, aud: audience, iat: now, exp, txn };
  }

  /** Returns the `txn` of the presented token if it has one, since that identifies the whole chain of calls. */
  private txnOf(entry: UserEntry, user: HopUser | undefined, now: number, exp: number): string {
    const given = user === undefined ? undefined : readClaim(user.claims, 'txn', false);
    if (typeof given === 'string' && given !== '') return given;
    if (now >= entry.txnUntil) entry.txn = randomUUID();
    entry.txnUntil = Math.max(entry.txnUntil, exp);
    return entry.txn;
  }

  private entryOf(token: string): UserEntry {
    const known = this.users.get(token);
    if (known !== undefined) return known;
    const entry: UserEntry = { txn: '', txnUntil: 0, byRequest: new WeakMap() };
    this.users.set(token, entry);
    this.characters += token.length;
    for (const [oldest] of this.users) {
      if (this.characters <= MAX_CHARACTERS) break;
      this.users.delete(oldest);
      this.characters -= oldest.length;
    }
    return entry;
  }
}
