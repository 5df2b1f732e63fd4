import { applyDecorators } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { RequireJwt } from '../../src/auth/index.js';
import { SignFields } from '../../src/signing/index.js';

interface Claims {
  sub: string;
}
interface Order {
  id: number;
  note: string;
  lines: string[];
  made: boolean;
  receipt: Claims;
  maybe?: Claims;
  nullable: Claims | null;
  data: { receipt: Claims; total: number; deep?: { token: Claims } };
}
declare const order: Order;
declare function later<T>(value: T): Promise<T>;
declare function stream<T>(value: T): Observable<T>;

describe('@SignFields compiles', () => {
  it('where each field holds an object', () => {
    class Accepted {
      @SignFields('receipt')
      plain(): Order {
        return order;
      }

      @SignFields('receipt', 'maybe', 'nullable')
      promised(): Promise<Order> {
        return later(order);
      }

      @SignFields('receipt')
      async asynchronous(_id: string, _more: number): Promise<Order> {
        return later(order);
      }

      @SignFields('receipt', 'data')
      observed(): Observable<Order> {
        return stream(order);
      }

      @SignFields('data.receipt', 'data.deep.token')
      nested(): Order {
        return order;
      }

      @SignFields({ fields: ['receipt', 'data.receipt'], alg: 'ES256', kid: 'r1', ttl: 600 })
      withOptions(): Promise<Order> {
        return later(order);
      }

      @SignFields({ kid: 'r1', full: true })
      withoutFields(): Order {
        return order;
      }

      @SignFields()
      bare(): Order {
        return order;
      }

      @SignFields()
      bareText(): string {
        return '';
      }

      @SignFields('anything', 'at.all')
      record(): Promise<Record<string, unknown>> {
        return later({});
      }

      @SignFields('anything')
      unknown(): unknown {
        return order;
      }

      @SignFields('anything', 'at.all')
      promisedUnknown(): Promise<unknown> {
        return later<unknown>(order);
      }

      @applyDecorators(SignFields('receipt'), RequireJwt())
      composed(): Order {
        return order;
      }

      @SignFields('free', 'free.inside')
      unknownMember(): { free: unknown; open: Record<string, unknown> } {
        return { free: {}, open: {} };
      }
    }
    expectTypeOf(Accepted).toBeConstructibleWith();
  });
});

describe('@SignFields does not compile', () => {
  it('where a field is mistyped, absent or no object', () => {
    class Refused {
      // @ts-expect-error -- mistyped
      @SignFields('reciept')
      mistyped(): Order {
        return order;
      }

      // @ts-expect-error -- one of several is mistyped
      @SignFields('receipt', 'access_token')
      oneOfSeveral(): Order {
        return order;
      }

      // @ts-expect-error -- absent behind a promise
      @SignFields('token')
      promised(): Promise<Order> {
        return later(order);
      }

      // @ts-expect-error -- absent behind an observable
      @SignFields('token')
      observed(): Observable<Order> {
        return stream(order);
      }

      // @ts-expect-error -- a string
      @SignFields('note')
      text(): Order {
        return order;
      }

      // @ts-expect-error -- a number
      @SignFields('id')
      number(): Order {
        return order;
      }

      // @ts-expect-error -- a boolean
      @SignFields('made')
      boolean(): Order {
        return order;
      }

      // @ts-expect-error -- a list
      @SignFields('lines')
      list(): Promise<Order> {
        return later(order);
      }

      // @ts-expect-error -- absent further down
      @SignFields('data.token')
      nestedAbsent(): Order {
        return order;
      }

      // @ts-expect-error -- a number further down
      @SignFields('data.total')
      nestedNumber(): Order {
        return order;
      }

      // @ts-expect-error -- nothing below a string
      @SignFields('note.receipt')
      belowText(): Order {
        return order;
      }

      // @ts-expect-error -- mistyped in the options
      @SignFields({ fields: ['reciept'], ttl: 600 })
      inOptions(): Order {
        return order;
      }

      // @ts-expect-error -- a list of orders has no field
      @SignFields('receipt')
      orders(): Order[] {
        return [order];
      }

      // @ts-expect-error -- nothing is returned
      @SignFields('receipt')
      nothing(): void {
        return undefined;
      }

      // @ts-expect-error -- one of the two results has a string there
      @SignFields('receipt')
      either(): { receipt: Claims } | { receipt: string } {
        return order;
      }

      // @ts-expect-error -- no such algorithm
      @SignFields({ fields: ['receipt'], alg: 'none' })
      algorithm(): Order {
        return order;
      }

      // @ts-expect-error -- no such option
      @SignFields({ field: 'receipt' })
      option(): Order {
        return order;
      }

      // @ts-expect-error -- a lifetime is a number of seconds
      @SignFields({ fields: ['receipt'], ttl: '10m' })
      lifetime(): Order {
        return order;
      }
    }
    expectTypeOf(Refused).toBeConstructibleWith();
  });

  it('on a class or a property', () => {
    // @ts-expect-error -- there is no result to sign
    @SignFields('receipt')
    class OnClass {}

    class OnProperty {
      // @ts-expect-error -- there is no result to sign
      @SignFields('receipt')
      property = order;
    }
    expectTypeOf(OnClass).toBeConstructibleWith();
    expectTypeOf(OnProperty).toBeConstructibleWith();
  });
});
