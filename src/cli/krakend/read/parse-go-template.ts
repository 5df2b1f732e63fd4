/** Thrown for a template that cannot be rendered, with all reasons. */
export class TemplateError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'TemplateError';
  }
}

/** A node of a template. `code` is a pipeline, see go-pipeline.ts. */
export type TemplateNode =
  | { kind: 'text'; text: string }
  | { kind: 'print'; code: string }
  | { kind: 'set'; name: string; code: string }
  | { kind: 'template'; name: string; code: string }
  | { kind: 'if' | 'with'; branches: readonly Branch[]; otherwise: readonly TemplateNode[] }
  | {
      kind: 'range';
      names: readonly string[];
      code: string;
      body: readonly TemplateNode[];
      otherwise: readonly TemplateNode[];
    };

interface Branch {
  readonly code: string;
  readonly body: readonly TemplateNode[];
}

/** Matches an action. It may contain quoted text that looks like its end. */
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

/** Parses a template. Definitions are added to a map that all templates of a rendering share. */
export class TemplateParser {
  private position = 0;
  private readonly parts: readonly Part[];

  constructor(
    text: string,
    private readonly definitions: Map<string, readonly TemplateNode[]>,
  ) {
    this.parts = split(text);
  }

  whole(): readonly TemplateNode[] {
    const { nodes, end } = this.nodes();
    if (end !== undefined) throw new TemplateError([`{{ ${end} }} stands alone`]);
    return nodes;
  }

  /** Reads nodes up to an action that ends or continues the block. */
  private nodes(): { nodes: TemplateNode[]; end?: string } {
    const nodes: TemplateNode[] = [];
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

  private node(action: string): TemplateNode[] {
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

  private until(): { nodes: TemplateNode[]; end: string } {
    const { nodes, end } = this.nodes();
    if (end === undefined) throw new TemplateError(['a block has no {{ end }}']);
    return { nodes, end };
  }

  private branches(kind: 'if' | 'with', first: string): TemplateNode {
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

  private range(rest: string): TemplateNode {
    const [, names = '', code = rest] = /^((?:\$\w+\s*,\s*)?\$\w+)\s*:=\s*([^]*)$/.exec(rest) ?? [];
    const { nodes: body, end } = this.until();
    const otherwise = end === 'end' ? [] : this.until().nodes;
    return { kind: 'range', names: names.match(/\$\w+/g) ?? [], code, body, otherwise };
  }
}

const unquoted = (text: string): string => text.trim().replace(/^["`]|["`]$/g, '');
