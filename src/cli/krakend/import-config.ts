import { advise } from './advice.js';
import type { Endpoint } from './krakend-config.js';
import { defectsOf, type Defect } from './defects.js';
import { Findings, type Finding } from './findings.js';
import { readConfig } from './read/read-config.js';
import { readText } from './read/read-text.js';
import { mapRoutes, type RouteMapping } from './route-mapping.js';
import { controllersOf } from './write/controllers-of.js';
import { environmentOf, type EnvironmentVariables } from './write/environment-of.js';

/** A KrakenD configuration, translated for Signet. */
export interface ImportedConfig {
  readonly environment: EnvironmentVariables;
  /** The controllers as TypeScript; `undefined` if all endpoints are own routes of the gateway. */
  readonly controllers: string | undefined;
  /** Modules of the gateway whose routes the controllers replace. */
  readonly replaced: RouteMapping['replaced'];
  /** Routes that answer 403 until the operator decides how to protect them, by their former protection. */
  readonly refused: readonly Finding[];
  /** What behaves differently. */
  readonly differs: readonly Finding[];
  /** What has to be done by hand. */
  readonly todo: readonly Finding[];
  /** What is not taken over at all. */
  readonly leftOut: readonly Finding[];
  /** Options that KrakenD does not know either. */
  readonly unknown: readonly Finding[];
  readonly defects: readonly Defect[];
  readonly counts: Counts;
}

/** Numbers of endpoints. */
export interface Counts {
  readonly endpoints: number;
  /** Including those that are refused until the operator decides. */
  readonly takenOver: number;
  readonly refused: number;
  readonly leftOut: number;
}

/**
 * Translates a configuration.
 *
 * @param text JSON, YAML or TOML, without templates
 * @param source name of the file, for messages and to choose the format
 * @throws CommandError when the configuration cannot be read
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
 * Returns the endpoints of a configuration that are taken over.
 *
 * @throws CommandError when the configuration cannot be read
 */
export const endpointsOf = async (text: string, source: string): Promise<readonly Endpoint[]> =>
  readConfig(await readText(text, source), new Findings()).endpoints;
