import { pathToFileURL } from 'node:url';
import type { DynamicModule, Type } from '@nestjs/common';
import type { Command } from 'commander';
import type { RouteRow } from '../routes/index.js';
import type { CommandContext } from './command-context.js';
import { CommandError } from './command.error.js';

type RootModule = Type | DynamicModule;

interface RoutesOptions {
  readonly check?: boolean;
  readonly json?: boolean;
  readonly export: string;
  readonly prefix?: string;
}

/** `signet routes`: lists what protects and signs each route. */
export function registerRoutes(program: Command, context: CommandContext): void {
  program
    .command('routes')
    .description('List every route with what protects and signs it; those that are open are marked')
    .argument(
      '[file]',
      'compiled file with the root module of an application (default: the gateway)',
    )
    .option('--export <name>', 'what the file calls the module', 'AppModule')
    .option('--prefix <path>', 'what main.ts hands to setGlobalPrefix')
    .option('--json', 'as JSON')
    .option('--check', 'fail when a route is open and not @Public()')
    .action(async (file: string | undefined, options: RoutesOptions) => {
      const rows = await context.output.during('loading the application', async () =>
        rowsOf(
          file === undefined ? await gateway(context) : await load(file, options.export, context),
          options.prefix,
        ),
      );
      if (options.json === true) context.output.json(rows);
      else context.output.table([COLUMNS, ...rows.map(cellsOf)], STYLES);
      const open = rows.filter(({ access }) => access === 'open');
      if (options.check === true && open.length > 0) {
        context.exitCode = 1;
        for (const { method, path, handler } of open)
          context.output.remark(`${method} ${path} (${handler}) is open, and not @Public()`);
      }
    });
}

/** Returns the gateway as the environment configures it, except that it keeps no state. */
async function gateway({ settings }: CommandContext): Promise<RootModule> {
  const [{ AppModule }, { readEnvironment }] = await Promise.all([
    import('../app.module.js'),
    import('../environment/index.js'),
  ]);
  const env = readEnvironment({ ...settings.variables, STATE_STORE: 'memory:' });
  return AppModule.register(
    Object.assign({}, env, { BACKEND_HOST: env.BACKEND_HOST ?? 'http://localhost' }),
  );
}

async function load(file: string, name: string, { files }: CommandContext): Promise<RootModule> {
  const path = files.pathOf(file);
  const exports = (await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw new CommandError(
      `${file} cannot be loaded: ${error instanceof Error ? error.message : 'it threw what is no Error'}`,
    );
  })) as Record<string, unknown>;
  const module = exports[name];
  if (typeof module !== 'function')
    throw new CommandError(`${file} exports no class ${name}; give its name with --export`);
  return module as RootModule;
}

/** Lists the routes of a root module. The application is created, but neither initialized nor started. */
async function rowsOf(module: RootModule, prefix?: string): Promise<RouteRow[]> {
  await import('reflect-metadata');
  const [{ NestFactory }, { RouteTable }] = await Promise.all([
    import('@nestjs/core'),
    import('../routes/index.js'),
  ]);
  const app = await NestFactory.create(module, { logger: false, abortOnError: false });
  try {
    if (prefix !== undefined) app.setGlobalPrefix(prefix);
    let table;
    try {
      table = app.get(RouteTable, { strict: false });
    } catch {
      throw new CommandError('the application has neither AuthModule nor SigningModule');
    }
    return table.rows();
  } finally {
    await app.close();
  }
}

const STYLES = { ACCESS: { open: 'yellow' } } as const;
const COLUMNS = ['METHOD', 'PATH', 'HANDLER', 'ACCESS', 'ROLES', 'SCOPES', 'ISSUERS', 'SIGNED'];

function cellsOf({ method, path, handler, access, ...lists }: RouteRow): string[] {
  const { roles, scopes, issuers, signedFields } = lists;
  return [
    method,
    path,
    handler,
    access === 'open' ? '! open' : access,
    ...[roles, scopes, issuers, signedFields].map((list) => list.join(',') || '-'),
  ];
}
