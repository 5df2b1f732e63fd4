/**
 * The optional peer dependencies that the gateway always needs. Users of the library need not install them.
 */
export const GATEWAY_PACKAGES = [
  '@nestjs/axios',
  '@nestjs/config',
  '@nestjs/platform-express',
  '@prometheus-io/client',
  'axios',
  'class-transformer',
  'class-validator',
  'pino',
];
const TRACING_PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace',
];

/**
 * Describes an import that failed because an optional peer dependency is not installed. The text ends with the command
 * that installs it, and the packages that it is used with, in the tested versions.
 *
 * @param error the error of the import
 * @param needed packages that are needed, too
 * @returns `undefined` for another error
 */
export async function missingPackage(
  error: unknown,
  needed: readonly string[] = [],
): Promise<string | undefined> {
  if (!(error instanceof Error)) return undefined;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined;
  const name = /^Cannot find (?:package|module) '((?:@[^/']+\/)?[^/']+)/.exec(message)?.[1];
  const { peerDependencies = {}, devDependencies = {} } = await manifest();
  // The missing package may be a dependency of another package, which is another problem.
  if (name === undefined || peerDependencies[name] === undefined) return undefined;
  const all = TRACING_PACKAGES.includes(name) ? TRACING_PACKAGES : [...needed, name];
  const missing = [name];
  for (const one of new Set(all)) if (one !== name && !(await isInstalled(one))) missing.push(one);
  missing.sort();
  const packages = missing.map((one) => {
    // Tests run with the versions of devDependencies.
    const range = devDependencies[one] ?? peerDependencies[one] ?? '*';
    return range === '*' ? one : `${one}@${range}`;
  });
  return `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not installed. Run npm install ${packages.join(' ')}`;
}

const isInstalled = (name: string): Promise<boolean> =>
  import(name).then(
    () => true,
    () => false,
  );

interface Manifest {
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The manifest of this package, by its name: the path of this file is unknown in a bundle, which has no manifest. */
const MANIFEST = 'nest-signet/package.json';
const manifest = (): Promise<Manifest> =>
  import(MANIFEST, { with: { type: 'json' } }).then(
    ({ default: read }: { default: Manifest }) => read,
    () => ({}),
  );
