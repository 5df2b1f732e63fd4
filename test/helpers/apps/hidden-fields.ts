import type { AddressInfo } from 'node:net';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Module,
  UseInterceptors,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory, Reflector } from '@nestjs/core';
import { of } from 'rxjs';
import { afterEach, expect } from 'vitest';
import {
  ErrorFilter,
  JwksModule,
  SignFields,
  SigningModule,
  UnsignedAnswer,
} from '../../../src/index.js';
import { createTestIssuer } from '../../../src/testing/index.js';
import { call } from '../network/http.js';
import { part } from '../issuers/keys.js';

/** What a handler returns with a field that nobody may see, neither in the answer nor in a token. */

/** The value of that field. */
export const HIDDEN = 'hunter2';

/** Each makes an object with `sub: 'u1'` and a hidden field x. */
export type HidingWays = Readonly<Record<string, () => object>>;

/** Where the application has its `ClassSerializerInterceptor`; `before` and `after` are of the decorators. */
export const PLACES = ['none', 'global', 'provider', 'class', 'before', 'after'] as const;
export type Place = (typeof PLACES)[number];

class AnswerOf {
  constructor(way: () => object) {
    Object.assign(this, { token: way(), sibling: way(), list: [way()] });
  }
}

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** Starts an application that signs the field `token`; gives its URL. */
export async function startSigning(
  controller: Type,
  place: Place = 'none',
  options = {},
): Promise<string> {
  const issuer = createTestIssuer({ alg: 'HS256' });
  const provider = { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor };
  @Module({
    imports: [
      JwksModule.forRoot(issuer.jwksOptions),
      SigningModule.forRoot({ fields: ['token'], requireAllFields: true }),
    ],
    controllers: [controller],
    providers: place === 'provider' ? [provider] : [],
  })
  class App {}
  app = await NestFactory.create(App, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ErrorFilter({ explain: true }));
  if (place === 'global')
    app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector), options));
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

function controllerOf(ways: HidingWays, place: Place): Type {
  const nothing = (): void => undefined;
  const onClass = place === 'class' ? UseInterceptors(ClassSerializerInterceptor) : nothing;
  const before = place === 'before' ? UseInterceptors(ClassSerializerInterceptor) : nothing;
  const after = place === 'after' ? UseInterceptors(ClassSerializerInterceptor) : nothing;
  class Ways {
    literal(way: () => object) {
      return { token: way(), sibling: way(), list: [way()] };
    }
  }
  const prototype = Ways.prototype as unknown as Record<string, unknown>;
  const add = (path: string, answer: () => unknown): void => {
    prototype[path] = answer;
    const descriptor = Object.getOwnPropertyDescriptor(prototype, path) ?? {};
    // The decorators apply from the last one to the first, as they stand in a file.
    for (const decorate of [after, SignFields() as MethodDecorator, before, Get(path)])
      decorate(prototype, path, descriptor);
    Object.defineProperty(prototype, path, descriptor);
  };
  for (const [index, way] of Object.values(ways).entries()) {
    const literal = () => ({ token: way(), sibling: way(), list: [way()] });
    add(`literal${index}`, literal);
    add(`instance${index}`, () => new AnswerOf(way));
    add(`promise${index}`, async () => literal());
    add(`observable${index}`, () => of(literal()));
    add(`unsigned${index}`, () => new UnsignedAnswer(literal(), {}));
  }
  Controller()(Ways);
  onClass(Ways);
  return Ways;
}

/** Expects of each way and of each kind of result that what it hides is nowhere, and all else is there. */
export async function expectHidden(ways: HidingWays, place: Place): Promise<void> {
  const url = await startSigning(controllerOf(ways, place), place);
  for (const [index, name] of Object.keys(ways).entries())
    for (const kind of ['literal', 'instance', 'promise', 'observable', 'unsigned']) {
      const what = `${name}, ${kind}`;
      const answer = await call(`${url}/${kind}${index}`);
      expect([what, answer.status, answer.text.includes(HIDDEN)]).toEqual([what, 200, false]);
      const claims = part(String(answer.json.token), 1) as object;
      expect(JSON.stringify(claims)).not.toContain(HIDDEN);
      const shown = expect.objectContaining({ sub: 'u1' }) as object;
      expect([what, claims, answer.json.sibling]).toEqual([what, shown, shown]);
      expect(answer.json.list).toEqual([answer.json.sibling]);
    }
}
