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

/** Characters of all tokens by which others are remembered. */
const MAX_CHARACTERS = 4_000_000;

interface Remembered {
  readonly token: string | Promise<string>;
  /** Seconds since 1970, until which half of its life remains. */
  readonly freshUntil: number;
}

/** What was made for one token that was presented. */
interface OfUser {
  /** One id for everything that is done for it at a time. */
  txn: string;
  txnUntil: number;
  readonly byRequest: WeakMap<HopTokenRequest, Remembered>;
}

/**
 * Makes the tokens that backend calls carry (draft-ietf-oauth-transaction-tokens): for one audience, short-lived,
 * never longer than the token that was presented, and with no more scopes. One is used again while half of its
 * life remains.
 */
@Injectable()
export class HopTokenSigner implements HopTokenMaker {
  /** By the token that was presented; the empty text for nobody. The oldest is first. */
  private readonly users = new Map<string, OfUser>();
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

  /** @throws BootError where the options cannot make such tokens */
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
    const ofUser = this.ofUser(user?.token ?? '');
    const known = ofUser.byRequest.get(request);
    if (known !== undefined && now < known.freshUntil) return known.token;
    const exp = Math.min(now + request.ttl, toNumber(user?.claims.exp) ?? Infinity);
    const claims = this.claims(request, user, {
      now,
      exp,
      txn: this.txnOf(ofUser, user, now, exp),
    });
    const token = this.signer.sign(claims, this.format);
    const remembered = { token, freshUntil: now + Math.floor((exp - now) / 2) };
    ofUser.byRequest.set(request, remembered);
    if (typeof token !== 'string')
      token.then(
        (signed) => void ofUser.byRequest.set(request, { ...remembered, token: signed }),
        () => void ofUser.byRequest.delete(request),
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

  /** That of the token that was presented, if it is one for this service: it stands for the whole chain. */
  private txnOf(ofUser: OfUser, user: HopUser | undefined, now: number, exp: number): string {
    const given = user === undefined ? undefined : readClaim(user.claims, 'txn', false);
    if (typeof given === 'string' && given !== '') return given;
    if (now >= ofUser.txnUntil) ofUser.txn = randomUUID();
    ofUser.txnUntil = Math.max(ofUser.txnUntil, exp);
    return ofUser.txn;
  }

  private ofUser(token: string): OfUser {
    let ofUser = this.users.get(token);
    if (ofUser === undefined) {
      ofUser = { txn: '', txnUntil: 0, byRequest: new WeakMap() };
      this.users.set(token, ofUser);
      this.characters += token.length;
      for (const [oldest] of this.users) {
        if (this.characters <= MAX_CHARACTERS) break;
        this.users.delete(oldest);
        this.characters -= oldest.length;
      }
    }
    return ofUser;
  }
}
