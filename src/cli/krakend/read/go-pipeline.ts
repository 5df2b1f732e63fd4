import { TemplateError } from './parse-go-template.js';

/** The variables of a block, including those of the blocks around it. */
export type Scope = ReadonlyMap<string, unknown>;

/** What a pipeline can refer to. */
export interface PipelineContext {
  readonly dot: unknown;
  readonly scope: Scope;
  /** Partials by file name, for `include`. */
  readonly partials: Readonly<Record<string, string>>;
  /** Receives a line per missing setting, partial or function. */
  readonly problems: Set<string>;
}

const TOKENS =
  /"(?:[^"\\]|\\.)*"|`[^`]*`|\$?(?:\.?[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*|\$(?:\.[A-Za-z_]\w*)+|-?\d+(?:\.\d+)?|[$.()|]/g;

/**
 * Evaluates a pipeline: the text between the braces of an action.
 *
 * @param maybe true if a missing value is no problem
 * @throws TemplateError
 */
export function pipelineValue(code: string, context: PipelineContext, maybe = false): unknown {
  const tokens: readonly string[] = code.match(TOKENS) ?? [];
  if (tokens.join('').replaceAll(/\s/g, '') !== code.replaceAll(/\s/g, ''))
    throw new TemplateError([`{{ ${code} }} is not rendered`]);
  return new Evaluation(tokens, context, maybe).pipeline();
}

/** The evaluation of one pipeline. */
class Evaluation {
  private position = 0;
  /** True if a missing value is no problem. */
  private readonly isOptional: boolean;

  constructor(
    private readonly tokens: readonly string[],
    private readonly around: PipelineContext,
    maybe: boolean,
  ) {
    this.isOptional = maybe || tokens.includes('default');
  }

  pipeline(): unknown {
    let value = this.command([]);
    while (this.tokens[this.position] === '|') {
      this.position++;
      value = this.command([value]);
    }
    return value;
  }

  /** @param piped the last arguments: the value in front of `|` */
  private command(piped: readonly unknown[]): unknown {
    const word = this.tokens[this.position] ?? '';
    if (!/^[A-Za-z_]\w*$/.test(word) || /^(?:true|false|nil)$/.test(word)) return this.operand();
    this.position++;
    const args: unknown[] = [];
    while (this.position < this.tokens.length && !/^[|)]$/.test(this.tokens[this.position] ?? ''))
      args.push(this.operand());
    return this.call(word, [...args, ...piped]);
  }

  private operand(): unknown {
    const token = this.tokens[this.position++] ?? '';
    if (token === '(') {
      const value = this.pipeline();
      if (this.tokens[this.position++] !== ')')
        throw new TemplateError(['a bracket is not closed']);
      return value;
    }
    if (token.startsWith('"')) return this.quoted(token);
    if (token.startsWith('`')) return token.slice(1, -1);
    if (/^-?\d/.test(token)) return Number(token);
    if (token === 'true' || token === 'false') return token === 'true';
    if (token === 'nil') return undefined;
    if (token === '.') return this.around.dot;
    if (token.startsWith('.'))
      return this.member(this.around.dot, token.slice(1).split('.'), token);
    if (token.startsWith('$')) {
      const [name = '$', ...path] = token.split('.');
      return this.member(this.around.scope.get(name), path, token);
    }
    if (/^[A-Za-z_]\w*$/.test(token)) return this.call(token, []);
    throw new TemplateError([`{{ ${this.tokens.join(' ')} }} is not rendered`]);
  }

  private quoted(token: string): string {
    try {
      return JSON.parse(token) as string;
    } catch {
      throw new TemplateError([`the text ${token.slice(0, 40)} is not rendered`]);
    }
  }

  private member(from: unknown, path: readonly string[], token: string): unknown {
    let value = from;
    for (const name of path)
      value =
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined;
    if (value === undefined && !this.isOptional && path.length > 0)
      this.around.problems.add(`setting ${token} is missing: name its folder with --settings`);
    return value;
  }

  private call(name: string, args: readonly unknown[]): unknown {
    const [a, b, ...more] = args;
    switch (name) {
      case 'include':
        return this.partial(String(a));
      case 'marshal':
      case 'toJson':
        return JSON.stringify(a ?? null);
      case 'eq':
        return [b, ...more].some((other) => a === other);
      case 'ne':
        return a !== b;
      case 'lt':
        return Number(a) < Number(b);
      case 'le':
        return Number(a) <= Number(b);
      case 'gt':
        return Number(a) > Number(b);
      case 'ge':
        return Number(a) >= Number(b);
      case 'not':
        return !isTrue(a);
      case 'and':
        return args.find((value) => !isTrue(value)) ?? args.at(-1);
      case 'or':
        return args.find(isTrue) ?? args.at(-1);
      case 'len':
        return typeof a === 'string' || Array.isArray(a) ? a.length : Object.keys(a ?? {}).length;
      case 'index':
        return [b, ...more].reduce<unknown>(
          (value, key) =>
            typeof value === 'object' && value !== null && Object.hasOwn(value, String(key))
              ? (value as Record<string, unknown>)[String(key)]
              : undefined,
          a,
        );
      case 'default':
        return isTrue(b) ? b : a;
      case 'quote':
        return JSON.stringify(printed(a));
      case 'upper':
        return String(a).toUpperCase();
      case 'lower':
        return String(a).toLowerCase();
      case 'add':
        return args.reduce<number>((sum, value) => sum + Number(value), 0);
      case 'sub':
        return Number(a) - Number(b);
      case 'join':
        return (Array.isArray(b) ? b : []).map(printed).join(String(a));
      default:
        this.around.problems.add(
          `function ${name} is not rendered; render it first: FC_ENABLE=1 FC_OUT=rendered.json krakend check -c …`,
        );
        return '';
    }
  }

  private partial(name: string): string {
    const text = this.around.partials[name];
    if (text === undefined)
      this.around.problems.add(`partial ${name} is missing: name its folder with --partials`);
    return text ?? '';
  }
}

/** True for a value that Go takes for true: not for nothing, zero, and empty values. */
export function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
  return Boolean(value);
}

/** Returns a value as text for the output. */
export function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
