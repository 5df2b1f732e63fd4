/*
 * Templates of Go (text/template) in the forms that KrakenD's flexible configuration uses: values, pipelines,
 * if/else, range, with, define, template, variables, comments, trimming, and a few functions.
 */
import { isTrue, pipelineValue, printed, type Scope } from './go-pipeline.js';
import { TemplateError, TemplateParser, type TemplateNode } from './parse-go-template.js';

/** What a template can refer to. */
export interface TemplateFiles {
  /** Values by file name, without the extension. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Partials by file name, for `include`. */
  readonly partials: Readonly<Record<string, string>>;
  /** Templates by file name, for `template`. */
  readonly templates: Readonly<Record<string, string>>;
}

const MAX_OUTPUT = 20 * 1024 * 1024;
const MAX_DEPTH = 50;

/** Renders a template. @throws TemplateError with everything that is missing or that cannot be rendered */
export function renderGoTemplate(text: string, files: TemplateFiles): string {
  return new Renderer(files).render(text);
}

class Renderer {
  private readonly problems = new Set<string>();
  private readonly definitions = new Map<string, readonly TemplateNode[]>();
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

  private run(nodes: readonly TemplateNode[], dot: unknown, around: Scope): string {
    const scope = new Map(around);
    let result = '';
    for (const node of nodes) {
      const text = this.one(node, dot, scope);
      result += text;
      // Nodes without output count as well, since they take time.
      this.size += 1 + (node.kind === 'text' || node.kind === 'print' ? text.length : 0);
      if (this.size > MAX_OUTPUT) throw new TemplateError(['the template makes too much']);
    }
    return result;
  }

  private one(node: TemplateNode, dot: unknown, scope: Map<string, unknown>): string {
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
    { names, code, body, otherwise }: Extract<TemplateNode, { kind: 'range' }>,
    dot: unknown,
    scope: Scope,
  ): string {
    const list = this.value(code, dot, scope);
    // Go iterates over a map in the order of its keys.
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

  /** @param maybe true if a missing value is no problem */
  private value(code: string, dot: unknown, scope: Scope, maybe = false): unknown {
    const { partials } = this.files;
    return pipelineValue(code, { dot, scope, partials, problems: this.problems }, maybe);
  }
}
