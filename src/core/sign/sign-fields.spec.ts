import { describe, expect, it } from 'vitest';
import { signFields, type ClaimSet } from './sign-fields.js';

/** Shows what was signed, for which field. */
const sign = (claims: ClaimSet, field: string): string => `${field}:${JSON.stringify(claims)}`;
const freeze = <T>(value: T): T => {
  if (value !== null && typeof value === 'object') Object.values(value).forEach(freeze);
  return Object.freeze(value);
};
const refusal = (code: string, ...words: string[]) =>
  expect.objectContaining({
    name: 'SigningError',
    code,
    explanation: expect.stringMatching(new RegExp(words.join('.*'))) as string,
  }) as Error;
const parse = (text: string): unknown => JSON.parse(text);

const slow = (claims: ClaimSet, field: string): Promise<string> =>
  new Promise((resolve) => setTimeout(resolve, field === 'a' ? 20 : 1, sign(claims, field)));
const fail = (): Promise<string> => Promise.reject(new Error('no key'));

describe('signFields', () => {
  it('replaces listed fields, keeps the rest and the order, and changes nothing in its input', async () => {
    const body = freeze({ a: { n: 1 }, other: [1, { x: 2 }], b: { n: 2 }, last: null });
    const before = JSON.stringify(body);
    const signed = await signFields(body, ['b', 'a'], true, sign);
    expect(JSON.stringify(signed)).toBe(
      JSON.stringify({ a: 'a:{"n":1}', other: [1, { x: 2 }], b: 'b:{"n":2}', last: null }),
    );
    expect(JSON.stringify(body)).toBe(before);
  });

  it('reaches nested fields and leaves their siblings', async () => {
    const body = freeze({ data: { receipt: { id: 1 }, note: 'n', deep: { er: { id: 2 } } } });
    const signed = await signFields(body, ['data.receipt', 'data.deep.er'], true, sign);
    expect(signed).toEqual({
      data: {
        receipt: 'data.receipt:{"id":1}',
        note: 'n',
        deep: { er: 'data.deep.er:{"id":2}' },
      },
    });
    expect(body.data.receipt).toEqual({ id: 1 });
  });

  it('waits for signatures that take a while', async () => {
    const signed = await signFields({ a: { n: 1 }, b: { n: 2 } }, ['a', 'b'], false, slow);
    expect(signed).toEqual({ a: 'a:{"n":1}', b: 'b:{"n":2}' });
  });

  it('does not answer when one signature fails', async () => {
    await expect(signFields({ a: {} }, ['a'], false, fail)).rejects.toThrow('no key');
  });

  it('keeps __proto__ a member like any other', async () => {
    const body = parse('{"__proto__":{"a":1},"x":{"__proto__":{"b":2},"t":{"c":3}},"y":1}');
    const signed = await signFields(body, ['__proto__', 'x.t'], true, sign);
    expect(JSON.stringify(signed)).toBe(
      '{"__proto__":"__proto__:{\\"a\\":1}","x":{"__proto__":{"b":2},"t":"x.t:{\\"c\\":3}"},"y":1}',
    );
    expect(Object.getPrototypeOf(signed)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  it('does not take inherited members for fields', async () => {
    for (const field of ['__proto__', 'constructor', 'toString', 'a.__proto__'])
      await expect(signFields({ a: { n: 1 } }, [field], false, sign)).rejects.toThrow(
        refusal('sign_target_missing'),
      );
  });

  it('names the fields asked for and those seen when none is there', async () => {
    const signing = signFields({ accessToken: {}, x: 1 }, ['access_token', 'r'], false, sign);
    await expect(signing).rejects.toThrow(
      refusal('sign_target_missing', 'access_token, r', 'seen: accessToken, x'),
    );
    await expect(signFields({}, ['a'], false, sign)).rejects.toThrow(
      refusal('sign_target_missing', 'a', 'none'),
    );
  });

  it.each([
    [null, 'null'],
    [undefined, 'a undefined'],
    ['text', 'a string'],
    [1, 'a number'],
    [[{ a: {} }], 'an array'],
  ])('says what %j is instead of an object', async (body, what) => {
    await expect(signFields(body, ['a'], false, sign)).rejects.toThrow(
      refusal('sign_target_missing', what),
    );
  });

  it('asks for all fields only with requireAll', async () => {
    const body = { a: { n: 1 } };
    expect(await signFields(body, ['a', 'b'], false, sign)).toEqual({ a: 'a:{"n":1}' });
    await expect(signFields(body, ['a', 'b'], true, sign)).rejects.toThrow(
      refusal('sign_target_missing', 'a, b', 'seen: a'),
    );
  });

  it('does not find a nested field below something that is no object', async () => {
    for (const data of [null, 'text', 1, [{ receipt: {} }]])
      await expect(signFields({ data }, ['data.receipt'], false, sign)).rejects.toThrow(
        refusal('sign_target_missing', 'data\\.receipt', 'data'),
      );
  });

  it.each([
    ['null', 'null'],
    ['"text"', 'a string'],
    ['1', 'a number'],
    ['true', 'a boolean'],
    ['[{"sub":"a"}]', 'an array'],
  ])('refuses a field that holds %s, also beside a good one', async (value, what) => {
    const body = parse(`{"good":{"n":1},"bad":${value}}`);
    await expect(signFields(body, ['good', 'bad'], false, sign)).rejects.toThrow(
      refusal('sign_target_invalid', "'bad'", what),
    );
  });

  it('never puts a value of the answer into a message', async () => {
    const body = { bad: 'top-secret-value', other: 'top-secret-value' };
    for (const field of ['bad', 'absent']) {
      const error: unknown = await signFields(body, [field], false, sign).catch((e: unknown) => e);
      expect(error).toHaveProperty('code');
      expect(JSON.stringify(error)).not.toContain('top-secret-value');
    }
  });

  // The token of `data` replaces `data.receipt`, so no answer can have both tokens.
  it.each([[['data', 'data.receipt']], [['data.receipt', 'data']]])(
    'refuses fields that overlap: %j',
    async (fields) => {
      const body = { data: { receipt: { id: 1 } } };
      await expect(signFields(body, fields, false, sign)).rejects.toThrow(
        refusal('sign_target_invalid'),
      );
    },
  );
});
