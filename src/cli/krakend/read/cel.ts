import { quoteLiteral } from '../write/literals.js';

/*
 * Translates expressions (CEL) on the claims of a token to TypeScript. Only forms with the same meaning are taken over:
 * where the evaluation in KrakenD fails, which refuses the request, the translation must not be true. So only `has()`
 * may be negated.
 *
 *   or   = and { "||" and }        and  = test { "&&" test }
 *   test = "(" or ")" | "has(" claim ")" | "!has(" claim ")" | text " in " claim | claim " in " list
 *        | claim [ comparison literal ] | literal comparison claim
 *        | claim ".startsWith(" text ")" (also endsWith, contains) | "size(" claim ")" comparison number
 */
const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|"((?:[^"\\]|\\["'\\])*)"|'((?:[^'\\]|\\["'\\])*)'|(&&|\|\||[=!<>]=|[<>!().,[\]]))/y;
const MAX_LENGTH = 4096;
const MAX_DEPTH = 20;

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign';
  readonly value: string;
}

/** Thrown for an expression that cannot be taken over. */
class NotTaken extends Error {}

/**
 * @param expression e.g. `'admin' in JWT.roles`
 * @returns a condition in TypeScript over `claims`, made of the functions of {@link CLAIM_FUNCTIONS};
 * `undefined` for an expression that cannot be taken over
 */
export function claimCondition(expression: string): string | undefined {
  if (expression.length > MAX_LENGTH) return undefined;
  try {
    return new Parser(tokenize(expression)).whole();
  } catch (error) {
    if (error instanceof NotTaken) return undefined;
    throw error;
  }
}

/** The functions that conditions use, as TypeScript. For a claim of another type a condition is false. */
export const CLAIM_FUNCTIONS: Readonly<Record<string, string>> = {
  claimAt: `/** A claim, by its path; \`undefined\` where there is none. */
const claimAt = (claims: object, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined,
    claims,
  );
`,
  textOf: `const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
`,
  numberOf: `/** Comparisons with NaN are false. */
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);
`,
  sizeOf: `const sizeOf = (value: unknown): number =>
  typeof value === 'string' || Array.isArray(value) ? value.length : Number.NaN;
`,
  listOf: `const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
`,
  differs: `/** True for another value of the same type. */
const differs = (value: unknown, other: unknown): boolean =>
  typeof value === typeof other && value !== other;
`,
};

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) throw new NotTaken();
    const [, name, number, double, single, sign] = match;
    const quoted = double ?? single;
    if (quoted !== undefined)
      tokens.push({ kind: 'text', value: quoted.replaceAll(/\\(.)/g, '$1') });
    else if (name !== undefined) tokens.push({ kind: 'name', value: name });
    else if (number !== undefined) tokens.push({ kind: 'number', value: number });
    else tokens.push({ kind: 'sign', value: sign ?? '' });
  }
  return tokens;
}

class Parser {
  private position = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): string {
    const condition = this.or();
    if (this.position < this.tokens.length) throw new NotTaken();
    return condition;
  }

  private or(): string {
    if (++this.depth > MAX_DEPTH) throw new NotTaken();
    const parts = [this.and()];
    while (this.accept('||')) parts.push(this.and());
    this.depth--;
    return parts.join(' || ');
  }

  private and(): string {
    const parts = [this.test()];
    while (this.accept('&&')) parts.push(this.test());
    return parts.join(' && ');
  }

  private test(): string {
    if (this.accept('(')) {
      const inner = this.or();
      this.expect(')');
      return `(${inner})`;
    }
    if (this.accept('!')) return this.has('===');
    if (this.peek()?.value === 'has') return this.has('!==');
    if (this.peek()?.value === 'size') return this.size();
    if (this.isLiteral()) return this.literalFirst();
    return this.claimFirst();
  }

  private has(operator: string): string {
    this.expect('has');
    this.expect('(');
    const claim = this.claim();
    this.expect(')');
    // In KrakenD, has() on a member of a missing claim fails instead of being false.
    if (operator === '===' && claim.includes("', '")) throw new NotTaken();
    return `${claim} ${operator} undefined`;
  }

  private size(): string {
    this.expect('size');
    this.expect('(');
    const claim = this.claim();
    this.expect(')');
    const operator = this.comparison();
    const number = this.next('number').value;
    return compare(`sizeOf(${claim})`, operator, number);
  }

  private literalFirst(): string {
    const literal = this.literal();
    if (this.peek()?.kind === 'name') {
      this.expect('in');
      return `listOf(${this.claim()}).includes(${literal.text})`;
    }
    const operator = this.comparison();
    return ofClaim(this.claim(), MIRRORED[operator] ?? operator, literal);
  }

  private claimFirst(): string {
    const claim = this.claim();
    const method = this.tokens[this.position - 1]?.value ?? '';
    if (this.peek()?.value === '(') return this.method(claim, method);
    if (this.peek()?.value === 'in') return this.inList(claim);
    if (!this.isComparison()) return `${claim} === true`;
    return ofClaim(claim, this.comparison(), this.literal());
  }

  private inList(claim: string): string {
    this.expect('in');
    this.expect('[');
    const items = [this.literal().text];
    while (this.accept(',')) items.push(this.literal().text);
    this.expect(']');
    return `listOf([${items.join(', ')}]).includes(${claim})`;
  }

  /** Translates a call. The last name in what was read as a claim is that of the method. */
  private method(claim: string, name: string): string {
    const method = { startsWith: 'startsWith', endsWith: 'endsWith', contains: 'includes' }[name];
    const of = claim.replace(/, '\w+'\)$/, ')');
    if (method === undefined || of === 'claimAt(claims)') throw new NotTaken();
    this.expect('(');
    const text = this.next('text').value;
    this.expect(')');
    // Every text contains the empty text, even the one that stands for a claim of another type.
    if (text === '') throw new NotTaken();
    return `textOf(${of}).${method}(${quoteLiteral(text)})`;
  }

  private claim(): string {
    this.expect('JWT');
    const path: string[] = [];
    for (;;) {
      if (this.accept('.')) path.push(this.next('name').value);
      else if (this.accept('[')) {
        path.push(this.next('text').value);
        this.expect(']');
      } else break;
    }
    if (path.length === 0) throw new NotTaken();
    return `claimAt(claims, ${path.map(quoteLiteral).join(', ')})`;
  }

  private literal(): { text: string; kind: 'number' | 'text' | 'flag' } {
    const token = this.peek();
    this.position++;
    if (token?.kind === 'text') return { text: quoteLiteral(token.value), kind: 'text' };
    if (token?.kind === 'number' && Number.isSafeInteger(Number(token.value)))
      return { text: String(Number(token.value)), kind: 'number' };
    if (token?.kind === 'name' && /^(?:true|false)$/.test(token.value))
      return { text: token.value, kind: 'flag' };
    throw new NotTaken();
  }

  private isLiteral(): boolean {
    const token = this.peek();
    return (
      token?.kind === 'text' ||
      token?.kind === 'number' ||
      (token?.kind === 'name' && /^(?:true|false)$/.test(token.value))
    );
  }

  private isComparison(): boolean {
    const token = this.peek();
    return token?.kind === 'sign' && /^[=!<>]=$|^[<>]$/.test(token.value);
  }

  private comparison(): string {
    if (!this.isComparison()) throw new NotTaken();
    return this.next('sign').value;
  }

  private peek(): Token | undefined {
    return this.tokens[this.position];
  }

  private next(kind: Token['kind']): Token {
    const token = this.peek();
    if (token?.kind !== kind) throw new NotTaken();
    this.position++;
    return token;
  }

  private accept(value: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'sign' || token.value !== value) return false;
    this.position++;
    return true;
  }

  private expect(value: string): void {
    const token = this.peek();
    if (token?.value !== value || token.kind === 'text') throw new NotTaken();
    this.position++;
  }
}

const MIRRORED: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

function ofClaim(
  claim: string,
  operator: string,
  { text, kind }: { text: string; kind: 'number' | 'text' | 'flag' },
): string {
  if (operator === '==') return `${claim} === ${text}`;
  if (operator === '!=') return `differs(${claim}, ${text})`;
  if (kind !== 'number') throw new NotTaken();
  return compare(`numberOf(${claim})`, operator, text);
}

/** Compares numbers. `!=` is true for NaN, so `>= 0` excludes values without a number. */
function compare(left: string, operator: string, number: string): string {
  if (operator === '!=') return `differs(${left}, ${number}) && ${left} >= 0`;
  return `${left} ${operator === '==' ? '===' : operator} ${number}`;
}
