import { Inject, Injectable, Optional } from '@nestjs/common';
import { ProtectedRoutes } from '../auth/index.js';
import type { BackendClient } from '../backend/index.js';
import { nowSeconds } from '../core/time/index.js';
import type { TokenPolicy } from '../core/verify/index.js';
import { BACKEND_CLIENT } from '../http/index.js';
import { JwkKeyStore, type KeySetReport } from '../jwks/index.js';
import { STATUS_LIMITS, type ProcessStatus } from '../management/index.js';
import { packageVersion } from '../packages/index.js';
import { SessionList } from '../session/index.js';
import { Revocations } from '../state/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { rotationSteps } from './key-metrics.js';

/** Longest name or reason that is shown, in characters. */
const MAX_TEXT = 200;

/** What this process reports on the status page. It contains no secrets, and all lists are bounded. */
@Injectable()
export class StatusReport {
  private utilization = performance.eventLoopUtilization();
  private policies: readonly TokenPolicy[] | undefined;

  constructor(
    private readonly keys: JwkKeyStore,
    private readonly revocations: Revocations,
    private readonly metrics: GatewayMetrics,
    @Optional() private readonly routes?: ProtectedRoutes,
    @Optional() @Inject(BACKEND_CLIENT) private readonly backend?: BackendClient,
    @Optional() private readonly sessions?: SessionList,
  ) {}

  async now(): Promise<ProcessStatus> {
    const { revocations } = this;
    const reports = this.keys.reports();
    const now = nowSeconds();
    return {
      pid: process.pid,
      version: packageVersion(),
      node: process.version,
      uptimeSeconds: process.uptime(),
      memoryBytes: process.memoryUsage.rss(),
      load: this.load(),
      keySets: reports.slice(0, STATUS_LIMITS.sets).map(keySet),
      keySetCount: reports.length,
      rotation: rotationSteps(reports, now).map(({ alg, kind, kids, at }) => ({
        alg,
        step: kind,
        kids: kids.slice(0, STATUS_LIMITS.keys).map(short),
        at,
      })),
      issuers: this.issuers(),
      store: {
        description: revocations.storeDescription,
        staleSeconds: revocations.staleSeconds,
        delaySeconds: revocations.delaySeconds,
        readOnly: revocations.readOnly,
        clockSkew: revocations.clockSkew,
        revocations: revocations.sizes,
        skippedRevocations: revocations.skipped,
        listsSessions: this.sessions !== undefined,
        sessions: this.sessions?.count,
      },
      backend: this.backendStatus(),
      ...(await this.metrics.totals()),
      lastRefusals: this.metrics.lastRefusals,
    };
  }

  /** Returns the utilization of the event loop since the last call. */
  private load(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.utilization);
    this.utilization = now;
    return utilization;
  }

  private issuers(): ProcessStatus['issuers'] {
    this.policies ??= this.routes?.policies() ?? [];
    const found = new Map<string, ProcessStatus['issuers'][number]>();
    for (const policy of this.policies)
      for (const issuer of policy.issuers) {
        const { keySource, foreignIssuers } = policy.perIssuer?.get(issuer) ?? policy;
        const { source } = this.keys.inventory(keySource);
        const own = !foreignIssuers.has(issuer);
        found.set(`${issuer} ${source}`, { issuer: short(issuer), own, source: short(source) });
        if (found.size === STATUS_LIMITS.issuers) return [...found.values()];
      }
    return [...found.values()];
  }

  private backendStatus(): ProcessStatus['backend'] {
    if (this.backend === undefined) return undefined;
    const { state, inFlight, rejected, retries } = this.backend.stats;
    return { breaker: state, inFlight, rejected, retries };
  }
}

const keySet = (report: KeySetReport): ProcessStatus['keySets'][number] => ({
  source: short(report.source),
  signs: report.signs,
  ageSeconds: report.ageSeconds,
  staleSeconds: report.staleSeconds,
  problem: report.problem && short(report.problem),
  // The keys of other issuers are not shown: their own key sets show them.
  keys: (report.signs ? report.keys : [])
    .slice(0, STATUS_LIMITS.keys)
    .map(({ kid, alg, state, notBefore, notAfter }) => ({
      kid: short(kid),
      alg,
      state,
      notBefore,
      notAfter,
    })),
  skipped: report.skipped.slice(0, STATUS_LIMITS.skipped).map(({ reason }) => short(reason)),
  keyCount: report.keys.length,
  skippedCount: report.skipped.reduce((sum, { count = 1 }) => sum + count, 0),
});

/** Shortens a name: names of other issuers may have any length. */
const short = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
