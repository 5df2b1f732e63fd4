import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { startGateway } from './helpers/gateway/gateway.js';
import { call } from './helpers/network/http.js';
import { bash } from './helpers/pages/manual.js';

/** The steps of the Dockerfile: instruction and the rest of its line. */
const steps = readFileSync('Dockerfile', 'utf8')
  .replaceAll(/\\\n/g, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => /^(\w+)\s+(.*)$/.exec(line)?.slice(1) as [string, string]);
const json = (instruction: string): string[] =>
  JSON.parse(steps.findLast(([name]) => name === instruction)?.[1] ?? '[]') as string[];

describe('the Dockerfile', () => {
  it('is not root, by number, and starts node itself', () => {
    expect(steps.findLast(([name]) => name === 'USER')?.[1]).toBe('1000:1000');
    const [node, ...options] = json('CMD');
    const script = options.pop();
    expect([node, script]).toEqual(['node', 'dist/main.js']);
    expect(options).toEqual(['--min-semi-space-size=8', '--max-semi-space-size=8']);
    expect(
      steps.filter(([name, rest]) => name === 'FROM' && !rest.startsWith('node:26-slim')),
    ).toEqual([]);
    // For memory, npm and the image pass the same to Node and to malloc.
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const name of ['start', 'start:prod'])
      expect([...(scripts[name]?.matchAll(/MALLOC\S+|--m\w+-semi\S+/g) ?? [])].join(' ')).toBe(
        `MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 ${options.join(' ')}`,
      );
    expect(steps.findLast(([name]) => name === 'ENV')?.[1]).toBe(
      'NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536',
    );
    // The manual passes them on the command line: Node refuses one of them in NODE_OPTIONS.
    expect(readFileSync('docs/production.md', 'utf8')).toContain(`\`${json('CMD').join(' ')}\``);
    const copied = steps
      .filter(([name, rest]) => name === 'COPY' && !rest.includes('--from='))
      .flatMap(([, rest]) => rest.split(/\s+/).slice(0, -1));
    const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
    for (const path of copied) expect(ignored).toContain(`!${path}`);
    expect(ignored).toContain('*');
  });

  it('keeps the packages that the gateway needs, documentation included, and none for development', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'signet-image-'));
    for (const name of ['package.json', 'package-lock.json', 'dist'])
      cpSync(name, join(directory, name), { recursive: true });
    const [, prune = ''] = steps.find(([, rest]) => rest.includes('npm prune')) ?? [];
    // npm finds by the lock file alone what it would keep; there is nothing here that it could remove.
    const command = prune.replace(
      'npm prune',
      'npm install --package-lock-only --offline --ignore-scripts',
    );
    await bash(command, {}, directory);
    const { packages } = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
    };
    const kept = Object.keys(packages).filter((path) => path !== '');
    expect(kept.filter((path) => /\/(?:node|typescript|vitest|@nestjs\/cli)$/.test(path))).toEqual(
      [],
    );
    for (const path of kept) {
      if (path.lastIndexOf('node_modules/') > 0) continue;
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      symlinkSync(resolve(path), join(directory, path));
    }
    const gateway = await startGateway({}, directory, ['bash', '-c', 'exec "$0" dist/main.js']);
    expect((await call(`${gateway.url}/docs-json`)).json).toHaveProperty('openapi');
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    await gateway.stop();
    rmSync(directory, { recursive: true, force: true });
  });
});

/** The variables that the gateway knows. */
const VARIABLES = new Set(
  [...readFileSync('.env.example', 'utf8').matchAll(/^(\w+)=/gm)].map(([, name]) => name),
);

describe('compose.yaml', () => {
  const { services, volumes } = parse(readFileSync('compose.yaml', 'utf8')) as {
    services: Record<
      string,
      {
        environment?: Record<string, string>;
        volumes?: string[];
        depends_on?: Record<string, unknown>;
        read_only?: boolean;
      }
    >;
    volumes: Record<string, unknown>;
  };
  it('starts a gateway by variables that exist, with a Redis that it waits for', () => {
    const { gateway } = services;
    for (const name of Object.keys(gateway?.environment ?? {})) expect(VARIABLES).toContain(name);
    expect(gateway?.environment?.STATE_STORE).toBe('redis://redis:6379');
    for (const name of Object.keys(gateway?.depends_on ?? {}))
      expect(services).toHaveProperty(name);
    expect(gateway?.read_only).toBe(true);
    for (const service of Object.values(services))
      for (const mount of service.volumes ?? [])
        expect(volumes).toHaveProperty(dirname(mount.replace(':', '/')).split('/')[0] ?? '');
  });
});

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}
interface PodSpec {
  terminationGracePeriodSeconds?: number;
  securityContext: Record<string, unknown>;
  containers: Container[];
  volumes?: { name: string; secret?: { secretName: string; defaultMode: number } }[];
}
interface Container {
  env?: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  readinessProbe: { periodSeconds: number; failureThreshold?: number };
  resources: { requests: object; limits: object };
  securityContext: Record<string, unknown>;
}

describe('ops/kubernetes.yaml', () => {
  const documents = parseAllDocuments(
    readFileSync('ops/kubernetes.yaml', 'utf8'),
    // What kubectl reads: 0400 is an octal number.
    { version: '1.1' },
  );
  const manifests = documents.map((document) => document.toJS() as Manifest);
  const find = (kind: string, name: string): Manifest =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name) as Manifest;
  const podOf = ({ spec }: Manifest): PodSpec =>
    (spec as { template: { spec: PodSpec } }).template.spec;
  const labelsOf = ({ spec }: Manifest) =>
    (spec as { template: { metadata: { labels: object } } }).template.metadata.labels;
  const deployment = find('Deployment', 'signet');
  const redis = find('StatefulSet', 'signet-redis');

  it('is YAML without errors, of kinds that exist', () => {
    expect(documents.flatMap(({ errors, warnings }) => errors.concat(warnings as never[]))).toEqual(
      [],
    );
    expect(manifests.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'apps/v1 Deployment',
      'v1 Service',
      'policy/v1 PodDisruptionBudget',
      'apps/v1 StatefulSet',
      'v1 Service',
      'networking.k8s.io/v1 NetworkPolicy',
    ]);
  });

  it('selects what it starts', () => {
    for (const workload of [deployment, redis])
      expect(workload.spec.selector).toEqual({ matchLabels: labelsOf(workload) });
    for (const [name, workload] of [
      ['signet', deployment],
      ['signet-redis', redis],
    ] as const) {
      const { spec } = find('Service', name) as unknown as {
        spec: { selector: object; ports: { targetPort: string }[] };
      };
      expect(spec.selector).toEqual(labelsOf(workload));
      const named = podOf(workload).containers.flatMap(({ ports }) =>
        ports.map((port) => port.name),
      );
      for (const { targetPort } of spec.ports) expect(named).toContain(targetPort);
    }
    const budget = find('PodDisruptionBudget', 'signet').spec;
    expect(budget.selector).toEqual({ matchLabels: labelsOf(deployment) });
    expect(Number(budget.minAvailable)).toBeLessThan(Number(deployment.spec.replicas));
  });

  it('runs without privileges, with bounded memory', () => {
    for (const pod of [podOf(deployment), podOf(redis)]) {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources.limits).toHaveProperty('memory');
      }
    }
  });

  it('gives the gateway variables that exist, and keys that others cannot read', () => {
    const { containers, volumes = [], securityContext } = podOf(deployment);
    for (const { env = [], volumeMounts } of containers) {
      for (const { name } of env) expect(VARIABLES).toContain(name);
      for (const { name, mountPath, readOnly } of volumeMounts) {
        expect([mountPath, readOnly]).toEqual(['/app/keys', true]);
        const secret = volumes.find((volume) => volume.name === name)?.secret;
        expect(secret?.defaultMode).toBe(0o400);
      }
    }
    expect(securityContext.fsGroup).toBe(securityContext.runAsUser);
    expect(steps.findLast(([name]) => name === 'USER')?.[1]).toContain(
      String(securityContext.runAsUser),
    );
  });

  it('waits for the gateway to end, and notices in time that it will', () => {
    const DELAY_MS = 5000;
    const TIMEOUT_MS = 10_000;
    const { terminationGracePeriodSeconds = 30, containers } = podOf(deployment);
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(DELAY_MS + TIMEOUT_MS);
    for (const { readinessProbe } of containers)
      expect(
        readinessProbe.periodSeconds * 1000 * (readinessProbe.failureThreshold ?? 3),
      ).toBeLessThan(DELAY_MS);
  });
});
