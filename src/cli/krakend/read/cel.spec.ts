import { compileFunction } from 'node:vm';
import { describe, expect, it } from 'vitest';
import ts from 'typescript';
import { CLAIM_FUNCTIONS, claimCondition } from './cel.js';

/** What the condition says of claims; `undefined` where the expression is not taken. */
const decide = (expression: string, claims: object): boolean | undefined => {
  const condition = claimCondition(expression);
  if (condition === undefined) return undefined;
  const { outputText } = ts.transpileModule(
    `${Object.values(CLAIM_FUNCTIONS).join('')}\nreturn ${condition};`,
    { compilerOptions: { target: ts.ScriptTarget.ES2024 } },
  );
  const run = compileFunction(outputText, ['claims']) as (of: object) => boolean;
  return run(claims);
};

describe('expressions on claims', () => {
  it.each<[string, object, object]>([
    ["JWT.sub == 'a'", { sub: 'a' }, { sub: 'b' }],
    ['"a" == JWT.sub', { sub: 'a' }, {}],
    ["JWT.sub != 'a'", { sub: 'b' }, { sub: 'a' }],
    ["JWT.sub != 'a' ", { sub: 'b' }, {}],
    ["JWT.sub != 'a'", { sub: 'b' }, { sub: 1 }],
    ["'admin' in JWT.roles", { roles: ['x', 'admin'] }, { roles: 'admin' }],
    ["JWT.tier in ['gold', 'silver']", { tier: 'gold' }, { tier: 'tin' }],
    ['has(JWT.user_id)', { user_id: null }, {}],
    ['!has(JWT.guest)', {}, { guest: false }],
    ['has(JWT.user_id) && has(JWT.tenant)', { user_id: 1, tenant: 2 }, { user_id: 1 }],
    ["JWT.a == 'x' || JWT.b == 'y'", { b: 'y' }, { b: 'x' }],
    ['(JWT.a == 1 || JWT.a == 2) && JWT.ok', { a: 2, ok: true }, { a: 2, ok: 'true' }],
    ["JWT.email.endsWith('@example.com')", { email: 'a@example.com' }, { email: 1 }],
    ["JWT.email.startsWith('a')", { email: 'ab' }, { email: ['a'] }],
    ['JWT.email.contains("\'")', { email: "o'x" }, {}],
    ["JWT['https://x/y'].z == true", { 'https://x/y': { z: true } }, { 'https://x/y': {} }],
    ['JWT.level >= 3', { level: 3 }, { level: '9' }],
    ['3 < JWT.level', { level: 4 }, { level: 3 }],
    ['size(JWT.groups) > 0', { groups: ['a'] }, { groups: {} }],
    ['size(JWT.groups) != 0', { groups: 'a' }, {}],
    ["'a' in JWT.realm_access.roles", { realm_access: { roles: ['a'] } }, { realm_access: 'a' }],
  ])('%s', (expression, yes, no) => {
    expect([decide(expression, yes), decide(expression, no)]).toEqual([true, false]);
  });

  it.each([
    '!(JWT.a == 1)',
    "!('a' in JWT.roles)",
    '!has(JWT.a.b)',
    "JWT.email.matches('.*')",
    "JWT.email.endsWith('')",
    "req_headers['X-A'][0] == 'a'",
    'JWT.sub == req_params.Id',
    'JWT',
    '',
    "JWT.sub == 'a' JWT",
    "JWT.sub > 'a'",
    'resp_data.x == 1',
    'true',
    'now > timestamp("2020-01-01T00:00:00Z")',
    `${'('.repeat(50)}JWT.a${')'.repeat(50)}`,
    "JWT.a == 'x\\u0041'",
    "JWT.startsWith('a')",
    "'JWT' in JWT.a in JWT.b",
    'JWT.roles.exists(r, r == "a")',
  ])('%s is not taken', (expression) => {
    expect(claimCondition(expression)).toBeUndefined();
  });

  it('keeps what looks like code in its text', () => {
    const text = "'); process.exit(1); ('";
    expect(decide(`JWT.sub == "${text}"`, { sub: text })).toBe(true);
  });
});
