/*
 * Templates of Go (text/template) in the forms that KrakenD's flexible configuration uses: values, pipelines,
 * if/else, range, with, define, template, variables, comments, trimming, and a few functions.
 */

/** What a template can reach. */
export interface TemplateFiles {
  /** Values by the name of their file, without its end. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Text by the name of its file, for `include`. */
  readonly partials: Readonly<Record<string, string>>;
  /** Templates by the name of their file, for `template`. */
  readonly templates: Readonly<Record<string, string>>;
}

/** A template that is not rendered, with every reason. */
export class TemplateError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'TemplateError';
  }
}

const MAX_OUTPUT = 20 * 1024 * 1024;
const MAX_DEPTH = 50;

/** @throws TemplateError with everything that is missing or that cannot be rendered */
export function renderGoTemplate(text: string, files: TemplateFiles): string {
  return new Renderer(files).render(text);
}

/* Parsing */

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; code: string }
  | { kind: 'set'; name: string; code: string }
  | { kind: 'template'; name: string; code: string }
  | { kind: 'if' | 'with'; branches: readonly Branch[]; otherwise: readonly Node[] }
  | {
      kind: 'range';
      names: readonly string[];
      code: string;
      body: readonly Node[];
      otherwise: readonly Node[];
    };

interface Branch {
  readonly code: string;
  readonly body: readonly Node[];
}

/** An action may hold text in quotes that looks like its end. */
const ACTION = /\{\{(-\s)?((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|(?!\}\}|\s-\}\})[^])*?)(\s-)?\}\}/g;

interface Part {
  readonly text?: string;
  readonly action?: string;
}

function split(text: string): Part[] {
  const parts: Part[] = [];
  let last = 0;
  let trim = false;
  for (const match of text.matchAll(ACTION)) {
    let before = text.slice(last, match.index);
    if (trim) before = before.trimStart();
    if (match[1] !== undefined) before = before.trimEnd();
    trim = match[3] !== undefined;
    last = match.index + match[0].length;
    parts.push({ text: before }, { action: (match[2] ?? '').trim() });
  }
  const rest = text.slice(last);
  parts.push({ text: trim ? rest.trimStart() : rest });
  return parts;
}

class TemplateParser {
  private position = 0;
  private readonly parts: readonly Part[];

  constructor(
    text: string,
    private readonly definitions: Map<string, readonly Node[]>,
  ) {
    this.parts = split(text);
  }

  whole(): readonly Node[] {
    const { nodes, end } = this.nodes();
    if (end !== undefined) throw new TemplateError([`{{ ${end} }} stands alone`]);
    return nodes;
  }

  /** Until an action that ends or continues the block. */
  private nodes(): { nodes: Node[]; end?: string } {
    const nodes: Node[] = [];
    for (;;) {
      const part = this.parts[this.position++];
      if (part === undefined) return { nodes };
      const { text, action } = part;
      if (text !== undefined && text !== '') nodes.push({ kind: 'text', text });
      if (action === undefined || action === '' || action.startsWith('/*')) continue;
      if (/^(?:end|else)\b/.test(action)) return { nodes, end: action };
      nodes.push(...this.node(action));
    }
  }

  private node(action: string): Node[] {
    const [, word = '', rest = ''] = /^(\w+)\b\s*([^]*)$/.exec(action) ?? [];
    if (word === 'if' || word === 'with') return [this.branches(word, rest)];
    if (word === 'range') return [this.range(rest)];
    if (word === 'define') {
      this.definitions.set(unquoted(rest), this.until().nodes);
      return [];
    }
    if (word === 'template') {
      const [, name = '', code = ''] = /^("[^"]*"|`[^`]*`)\s*([^]*)$/.exec(rest) ?? [];
      return [{ kind: 'template', name: unquoted(name), code }];
    }
    if (word === 'block' || word === 'break' || word === 'continue')
      throw new TemplateError([`{{ ${word} }} is not rendered`]);
    const set = /^(\$\w+)\s*:?=\s*([^]*)$/.exec(action);
    if (set !== null) return [{ kind: 'set', name: set[1] ?? '', code: set[2] ?? '' }];
    return [{ kind: 'print', code: action }];
  }

  private until(): { nodes: Node[]; end: string } {
    const { nodes, end } = this.nodes();
    if (end === undefined) throw new TemplateError(['a block has no {{ end }}']);
    return { nodes, end };
  }

  private branches(kind: 'if' | 'with', first: string): Node {
    const branches: Branch[] = [];
    let code = first;
    for (;;) {
      const { nodes: body, end } = this.until();
      branches.push({ code, body });
      if (end === 'end') return { kind, branches, otherwise: [] };
      const next = /^else\s+(?:if|with)\s+([^]*)$/.exec(end)?.[1];
      if (next === undefined) return { kind, branches, otherwise: this.until().nodes };
      code = next;
    }
  }

  private range(rest: string): Node {
    const [, names = '', code = rest] = /^((?:\$\w+\s*,\s*)?\$\w+)\s*:=\s*([^]*)$/.exec(rest) ?? [];
    const { nodes: body, end } = this.until();
    const otherwise = end === 'end' ? [] : this.until().nodes;
    return { kind: 'range', names: names.match(/\$\w+/g) ?? [], code, body, otherwise };
  }
}

const unquoted = (text: string): string => text.trim().replace(/^["`]|["`]$/g, '');

/* Rendering */

/** Variables of a block and, behind them, those around it. */
type Scope = ReadonlyMap<string, unknown>;

class Renderer {
  private readonly problems = new Set<string>();
  private readonly definitions = new Map<string, readonly Node[]>();
  private size = 0;
  private depth = 0;

  constructor(private readonly files: TemplateFiles) {}

  render(text: string): string {
    const nodes = new TemplateParser(text, this.definitions).whole();
    const { settings } = this.files;
    const result = this.run(nodes, settings, new Map([['$', settings as unknown]]));
    if (this.problems.size > 0) throw new TemplateError([...this.problems]);
    return result;
  }

  private run(nodes: readonly Node[], dot: unknown, around: Scope): string {
    const scope = new Map(around);
    let result = '';
    for (const node of nodes) {
      const text = this.one(node, dot, scope);
      result += text;
      // What makes nothing takes time, too.
      this.size += 1 + (node.kind === 'text' || node.kind === 'print' ? text.length : 0);
      if (this.size > MAX_OUTPUT) throw new TemplateError(['the template makes too much']);
    }
    return result;
  }

  private one(node: Node, dot: unknown, scope: Map<string, unknown>): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'print':
        return printed(this.value(node.code, dot, scope));
      case 'set':
        scope.set(node.name, this.value(node.code, dot, scope));
        return '';
      case 'template':
        return this.template(
          node.name,
          node.code === '' ? undefined : this.value(node.code, dot, scope),
        );
      case 'range':
        return this.range(node, dot, scope);
      default: {
        for (const { code, body } of node.branches) {
          const value = this.value(code, dot, scope, true);
          if (isTrue(value)) return this.run(body, node.kind === 'with' ? value : dot, scope);
        }
        return this.run(node.otherwise, dot, scope);
      }
    }
  }

  private range(
    { names, code, body, otherwise }: Extract<Node, { kind: 'range' }>,
    dot: unknown,
    scope: Scope,
  ): string {
    const list = this.value(code, dot, scope);
    // Go goes through the members of a map in the order of their names.
    const entries: [unknown, unknown][] = Array.isArray(list)
      ? list.map((item: unknown, index) => [index, item])
      : Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return this.run(otherwise, dot, scope);
    return entries
      .map(([key, item]) => {
        const inner = new Map(scope);
        const [first, second] = names;
        if (second !== undefined) inner.set(first ?? '', key).set(second, item);
        else if (first !== undefined) inner.set(first, item);
        return this.run(body, item, inner);
      })
      .join('');
  }

  private template(name: string, dot: unknown): string {
    const text = this.files.templates[name];
    const defined = this.definitions.get(name);
    if (text === undefined && defined === undefined) {
      this.problems.add(`template ${name} is missing: name its folder with --templates`);
      return '';
    }
    if (++this.depth > MAX_DEPTH) throw new TemplateError(['templates nest too deep']);
    const nodes = defined ?? new TemplateParser(text ?? '', this.definitions).whole();
    const result = this.run(nodes, dot, new Map([['$', dot]]));
    this.depth--;
    return result;
  }

  /** @param maybe true where a value that is not there is an answer, too */
  private value(code: string, dot: unknown, scope: Scope, maybe = false): unknown {
    const tokens: readonly string[] = code.match(TOKENS) ?? [];
    if (tokens.join('').replaceAll(/\s/g, '') !== code.replaceAll(/\s/g, ''))
      throw new TemplateError([`{{ ${code} }} is not rendered`]);
    const isOptional = maybe || tokens.includes('default');
    const evaluation = new Evaluation(tokens, dot, scope, this.files, this.problems, isOptional);
    return evaluation.pipeline();
  }
}

const TOKENS =
  /"(?:[^"\\]|\\.)*"|`[^`]*`|\$?(?:\.?[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*|\$(?:\.[A-Za-z_]\w*)+|-?\d+(?:\.\d+)?|[$.()|]/g;

/** One pipeline. */
class Evaluation {
  private position = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly dot: unknown,
    private readonly scope: Scope,
    private readonly files: TemplateFiles,
    private readonly problems: Set<string>,
    private readonly maybe: boolean,
  ) {}

  pipeline(): unknown {
    let value = this.command([]);
    while (this.tokens[this.position] === '|') {
      this.position++;
      value = this.command([value]);
    }
    return value;
  }

  /** @param piped what comes last among the arguments */
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
    if (token === '.') return this.dot;
    if (token.startsWith('.')) return this.member(this.dot, token.slice(1).split('.'), token);
    if (token.startsWith('$')) {
      const [name = '$', ...path] = token.split('.');
      return this.member(this.scope.get(name), path, token);
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
    if (value === undefined && !this.maybe && path.length > 0)
      this.problems.add(`setting ${token} is missing: name its folder with --settings`);
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
        this.problems.add(
          `function ${name} is not rendered; render it first: FC_ENABLE=1 FC_OUT=rendered.json krakend check -c …`,
        );
        return '';
    }
  }

  private partial(name: string): string {
    const text = this.files.partials[name];
    if (text === undefined)
      this.problems.add(`partial ${name} is missing: name its folder with --partials`);
    return text ?? '';
  }
}

/** Go takes nothing, zero and what is empty for false. */
function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
  return Boolean(value);
}

function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
