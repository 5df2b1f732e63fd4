import { migrationAdvice } from './advice.js';
import { controllersOf } from './controllers-of.js';
import { defectsOf, type Defect } from './defects.js';
import { environmentOf, type EnvironmentVariables } from './environment-of.js';
import { mapRoutes } from './route-mapping.js';
import { readConfig } from './read-config.js';

/** A KrakenD configuration, in Signet's terms. */
export interface ImportedConfig {
  readonly environment: EnvironmentVariables;
  /** TypeScript; `undefined` where the gateway's own routes are all there is. */
  readonly controllers: string | undefined;
  /** What is to be done by hand, and what behaves differently. */
  readonly advice: readonly string[];
  /** What is not taken over. */
  readonly notTakenOver: readonly string[];
  /** Options that KrakenD does not know either. */
  readonly unknown: readonly string[];
  readonly defects: readonly Defect[];
}

/**
 * Translates a configuration.
 *
 * @param text the JSON
 * @param source what messages call it
 * @throws CommandError when it cannot be understood
 */
export function importConfig(text: string, source: string): ImportedConfig {
  const config = readConfig(text, source);
  const routes = mapRoutes(config);
  const environment = environmentOf(config, routes);
  return {
    environment,
    controllers: controllersOf(config, routes),
    advice: migrationAdvice(config, routes, environment),
    notTakenOver: config.notes,
    unknown: config.unknown,
    defects: defectsOf(config),
  };
}
