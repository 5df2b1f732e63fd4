import { advise } from './advice.js';
import type { Endpoint } from './krakend-config.js';
import { defectsOf, type Defect } from './defects.js';
import { Findings, type Finding } from './findings.js';
import { readConfig } from './read/read-config.js';
import { readText } from './read/read-text.js';
import { mapRoutes, type RouteMapping } from './route-mapping.js';
import { controllersOf } from './write/controllers-of.js';
import { environmentOf, type EnvironmentVariables } from './write/environment-of.js';

/** A KrakenD configuration, in Signet's terms. */
export interface ImportedConfig {
  readonly environment: EnvironmentVariables;
  /** TypeScript; `undefined` where the gateway's own routes are all there is. */
  readonly controllers: string | undefined;
  /** Modules of the gateway whose routes the controllers replace. */
  readonly replaced: RouteMapping['replaced'];
  /** Routes that answer 403 until somebody decides, by what protected them. */
  readonly refused: readonly Finding[];
  /** What behaves differently. */
  readonly differs: readonly Finding[];
  /** What is to be done by hand. */
  readonly todo: readonly Finding[];
  /** What is not taken over at all. */
  readonly leftOut: readonly Finding[];
  /** Options that KrakenD does not know either. */
  readonly unknown: readonly Finding[];
  readonly defects: readonly Defect[];
  readonly counts: Counts;
}

/** Endpoints of the configuration. */
export interface Counts {
  readonly endpoints: number;
  /** With those that are refused until decided. */
  readonly takenOver: number;
  readonly refused: number;
  readonly leftOut: number;
}

/**
 * Translates a configuration.
 *
 * @param text JSON, YAML or TOML, rendered
 * @param source its file's name, for messages and for its format
 * @throws CommandError when it cannot be understood
 */
export async function importConfig(text: string, source: string): Promise<ImportedConfig> {
  const findings = new Findings();
  const config = readConfig(await readText(text, source), findings);
  const routes = mapRoutes(config);
  const environment = environmentOf(config, routes);
  advise(config, routes, environment, findings);
  return {
    environment,
    controllers: controllersOf(config, routes),
    replaced: routes.replaced,
    refused: findings.of('refused'),
    differs: findings.of('differs'),
    todo: findings.of('todo'),
    leftOut: findings.of('leftOut'),
    unknown: findings.of('unknown'),
    defects: defectsOf(config, findings.of('unknown')),
    counts: {
      endpoints: config.endpointCount,
      takenOver: config.endpoints.length,
      refused: config.endpoints.filter(({ refusals }) => refusals.length > 0).length,
      leftOut: config.endpointCount - config.endpoints.length,
    },
  };
}

/**
 * The endpoints of a configuration that are taken over.
 *
 * @throws CommandError when it cannot be understood
 */
export const endpointsOf = async (text: string, source: string): Promise<readonly Endpoint[]> =>
  readConfig(await readText(text, source), new Findings()).endpoints;
