import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  permissions: Record<string, string>;
  'timeout-minutes': number;
  strategy?: { matrix: Record<string, unknown[]> };
  env?: Record<string, string>;
  steps: Step[];
}
interface Workflow {
  name: string;
  text: string;
  permissions: object;
  jobs: Record<string, Job>;
}

const workflows = globSync('.github/workflows/*').map((path): Workflow => {
  const text = readFileSync(path, 'utf8');
  return Object.assign(parse(text) as Workflow, { name: basename(path), text });
});
const jobs = workflows.flatMap((workflow) =>
  Object.entries(workflow.jobs).map(([name, job]) => [`${workflow.name}: ${name}`, job] as const),
);
const workflowOf = (name: string): Workflow =>
  workflows.find((workflow) => workflow.name === name) as Workflow;
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
};

/** Commands of npm that are no scripts of package.json. */
const NPM = ['ci', 'cit', 'install', 'pack', 'pkg', 'publish', 'sbom'];

/** What a command starts that is not there. */
function missing(command: string): string[] {
  const [program = '', ...args] = command.split(/\s+/);
  if (program.startsWith('.')) return isExecutable(program) ? [] : [program];
  if (program !== 'npm') return program === 'gh' ? [] : [program];
  const [verb = '', ...rest] = args.filter((arg) => !arg.startsWith('-'));
  const script = verb === 'run' ? (rest[0] ?? '') : verb;
  return script in scripts || (verb !== 'run' && NPM.includes(verb))
    ? []
    : [`npm ${verb} ${script}`];
}
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

describe('workflows', () => {
  it('are those that there should be', () => {
    expect(workflows.map(({ name }) => name).toSorted()).toEqual([
      'ci.yml',
      'codeql.yml',
      'nightly.yml',
      'release.yml',
    ]);
  });

  it('name each action by its commit, the same everywhere, with the version beside it', () => {
    const lines = workflows.flatMap(({ text }) => text.match(/^.*\buses:.*$/gm) ?? []);
    const steps = jobs.flatMap(([, job]) => job.steps).filter(({ uses }) => uses !== undefined);
    expect(lines).toHaveLength(steps.length);
    const wrong = lines.filter(
      (line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line),
    );
    expect(wrong).toEqual([]);
    const pins = new Set(lines.map((line) => line.replace(/^.*uses: ([\w-]+\/[\w-]+).*@/, '$1@')));
    const actions = new Set([...pins].map((pin) => pin.split('@')[0]));
    expect(pins.size).toBe(actions.size);
  });

  it('may do nothing but what a job asks for, for a bounded time', () => {
    for (const { name, permissions } of workflows) expect([name, permissions]).toEqual([name, {}]);
    const writes = jobs.flatMap(([name, { permissions }]) =>
      Object.entries(permissions).flatMap(([scope, access]) =>
        access === 'write' ? [`${name}: ${scope}`] : [],
      ),
    );
    expect(writes.toSorted()).toEqual([
      'codeql.yml: analyze: security-events',
      'release.yml: publish: contents',
      'release.yml: publish: id-token',
    ]);
    for (const [name, job] of jobs)
      expect([name, job['timeout-minutes']]).toEqual([name, expect.any(Number)]);
  });

  it('keep no token in the checkout', () => {
    const checkouts = jobs
      .flatMap(([, { steps }]) => steps)
      .filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
  });

  it('run no code of the project or of packages where they may publish', () => {
    const publishers = jobs.filter(([, { permissions }]) => permissions['id-token'] === 'write');
    const steps = publishers.flatMap(([, job]) => job.steps);
    expect(
      steps.map(({ uses, run }) => uses?.replace(/@.*/, '') ?? run?.split(' ', 2).join(' ')),
    ).toEqual(['actions/setup-node', 'actions/download-artifact', 'npm publish', 'gh release']);
  });

  it('run what is there', () => {
    const commands = jobs
      .flatMap(([, { steps }]) => steps)
      .flatMap(({ run }) => run?.trim().split('\n') ?? []);
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.flatMap(missing)).toEqual([]);
    expect(missing('.ci/nothing')).toEqual(['.ci/nothing']);
    expect(missing('npm run nothing')).toEqual(['npm run nothing']);
  });
});

describe('ci.yml', () => {
  const { check } = workflowOf('ci.yml').jobs as { check: Job };

  it('runs .ci/run and nothing of its own', () => {
    expect(Object.keys(workflowOf('ci.yml').jobs)).toEqual(['check']);
    expect(check.steps.map(({ uses, run }) => run ?? uses?.replace(/@.*/, ''))).toEqual([
      'actions/checkout',
      'actions/setup-node',
      '.ci/run',
    ]);
  });

  it('runs it on the Node of the matrix: the oldest of the gateway and the one of the project', () => {
    const majorOf = (text = ''): number => Number(/\d+/.exec(text)?.[0]);
    // The library runs on an older one than the gateway: test/long/consumers.e2e-spec.ts.
    const oldest = /^const OLDEST_MAJOR = \d+;$/m.exec(readFileSync('src/main.ts', 'utf8'))?.[0];
    const { optionalDependencies: provided } = JSON.parse(
      readFileSync('scripts/node/package.json', 'utf8'),
    ) as { optionalDependencies: Record<string, string> };
    const [newest = '', ...others] = new Set(Object.values(provided));
    expect(others).toEqual([]);
    expect(check.strategy?.matrix).toEqual({ node: [majorOf(oldest), majorOf(newest)] });
    expect(check.steps[1]?.with?.['node-version']).toBe('${{ matrix.node }}');
    // No older one, or .ci/run would use the one that the project provides.
    expect(readFileSync('scripts/provide-node.mjs', 'utf8')).toContain(oldest);
  });
});

describe('nightly.yml', () => {
  it('runs .ci/run with the long tests, every night', () => {
    const { check } = workflowOf('nightly.yml').jobs as { check: Job };
    expect(check.env).toEqual({ SIGNET_LONG: '1' });
    expect(check.steps.at(-1)?.run).toBe('.ci/run');
    expect(readFileSync('.ci/run', 'utf8')).toMatch(/SIGNET_LONG[^\n]*= 1 \]; then[^]*test:long/);
  });
});

describe('.ci/run', () => {
  const commands =
    readFileSync('.ci/run', 'utf8')
      .match(/^\s*npm .*$/gm)
      ?.map((line) => line.trim()) ?? [];

  it('runs the test command of the README, and scripts that are there', () => {
    expect(readFileSync('README.md', 'utf8')).toContain('`npm cit`');
    expect(commands).toContain('npm cit');
    expect(commands.flatMap(missing)).toEqual([]);
  });

  it('builds once, which npm cit does', () => {
    expect(commands.filter((command) => /\bbuild\b/.test(command))).toEqual([]);
    const building = Object.values(scripts).filter((script) =>
      /\bnest build\b|npm run.*\bbuild\b/.test(script),
    );
    expect(building).toEqual([]);
  });
});

describe('dependabot', () => {
  const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as {
    updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[];
  };
  /** What each ecosystem reads. */
  const MANIFESTS: Record<string, string> = {
    npm: 'package-lock.json',
    'github-actions': '.github/workflows',
    docker: '{Dockerfile,kubernetes.yaml}',
    'docker-compose': 'compose.yaml',
  };

  it('follows npm, actions and images, in folders that hold some', () => {
    expect(updates.map((update) => update['package-ecosystem'])).toEqual(Object.keys(MANIFESTS));
    for (const { 'package-ecosystem': name, directory, directories = [directory ?? ''] } of updates)
      for (const path of directories)
        expect([path, globSync(join('.', path, MANIFESTS[name] ?? ''))]).toEqual([
          path,
          [expect.any(String)],
        ]);
  });
});
