import { isJsonObject } from '../../../core/json/index.js';
import { CommandError } from '../../command.error.js';
import type { Findings } from '../findings.js';
import type { KrakendConfig } from '../krakend-config.js';
import { Fields } from './fields.js';
import { readRevoker } from './read-components.js';
import { components, OptionTeller } from './option-teller.js';
import { EndpointReader } from './read-endpoint.js';

/**
 * Reads a KrakenD configuration (version 2 or 3, without templates).
 *
 * @param findings receives what the report has to say about it
 * @throws CommandError with everything that cannot be read
 */
export function readConfig(object: object, findings: Findings): KrakendConfig {
  const reader = new ServiceReader(object, findings);
  const config = reader.config();
  if (reader.problems.length > 0) throw new CommandError(reader.problems);
  return config;
}

class ServiceReader {
  readonly problems: string[] = [];

  constructor(
    private readonly object: object,
    private readonly findings: Findings,
  ) {}

  config(): KrakendConfig {
    const service = new Fields(this.object, 'the configuration', this.problems);
    const refusals: string[] = [];
    const extra = components(service.raw('extra_config'), 'extra_config', this.problems);
    const member = (name: string): Fields | undefined => {
      const value = extra.raw(name);
      return value === undefined ? undefined : new Fields(value, name, this.problems);
    };
    const shared = member('auth/validator');
    const revoker = member('auth/revoker');
    const cors = member('security/cors');
    const router = member('router');
    const logging = member('telemetry/logging');
    const hosts = service.texts('host');
    const encoding = service.text('output_encoding');
    const tell = new OptionTeller(this.findings, refusals);
    const config = {
      port: service.whole('port'),
      address: service.text('listen_ip') ?? service.text('address'),
      timeoutMs: service.milliseconds('timeout'),
      trustedProxies: router?.texts('trusted_proxies') ?? [],
      corsOrigins: this.cors(cors),
      logLevel: logLevel(logging?.text('level')),
      revoker: revoker === undefined ? undefined : readRevoker(revoker),
      sharedCacheDuration: shared?.whole('shared_cache_duration'),
    };
    this.tls(service, refusals);
    const listed = service.raw('endpoints');
    const endpoints = Array.isArray(listed) ? (listed as unknown[]) : [];
    if (listed === undefined)
      this.problems.push("the configuration has no 'endpoints': is it a KrakenD configuration?");
    else if (!Array.isArray(listed))
      this.problems.push("the configuration: 'endpoints' is not a list");
    tell.rest(service, 'service');
    tell.rest(extra, 'service extra_config');
    for (const [fields, scope] of [
      [shared, 'auth/validator'],
      [revoker, 'auth/revoker'],
      [cors, 'security/cors'],
      [router, 'router'],
      [logging, 'telemetry/logging'],
    ] as const)
      if (fields !== undefined) tell.rest(fields, scope);
    const taken = new Set<string>();
    return {
      ...config,
      endpointCount: endpoints.length,
      endpoints: endpoints.flatMap((object, index) => {
        const reader = new EndpointReader(
          object,
          index,
          { hosts, encoding, refusals },
          this.findings,
        );
        const endpoint = reader.endpoint(taken);
        return endpoint === undefined ? [] : [endpoint];
      }),
    };
  }

  private cors(cors: Fields | undefined): readonly string[] {
    if (cors === undefined) return [];
    const origins = cors.texts('allow_origins');
    const credentials = cors.raw('allow_credentials') === true;
    const listed = origins.length === 0 ? ['*'] : origins;
    if (!listed.includes('*')) {
      const patterns = listed.filter((origin) => origin.includes('*'));
      if (patterns.length > 0)
        this.findings.add(
          'differs',
          `security/cors: ${patterns.join(', ')} is a pattern; CORS_ORIGINS names origins one by one`,
        );
      return listed
        .filter((origin) => !origin.includes('*'))
        .map((origin) => origin.replace(/\/$/, ''));
    }
    if (credentials)
      this.findings.add(
        'differs',
        'security/cors: every origin was allowed with cookies; CORS_ORIGINS=* never goes with cookies, so name the origins',
      );
    return ['*'];
  }

  private tls(service: Fields, refusals: string[]): void {
    const tls = service.raw('tls');
    if (tls === undefined) return;
    if (isJsonObject(tls) && (tls as { enable_mtls?: unknown }).enable_mtls === true)
      refusals.push('tls: requests had to show a client certificate');
    this.findings.add('todo', 'tls: terminate TLS in front of the gateway');
  }
}

const LEVELS: Readonly<Record<string, string>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
};
const logLevel = (level: string | undefined): string | undefined =>
  LEVELS[level?.toUpperCase() ?? ''];
