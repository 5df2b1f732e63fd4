import { isDeepStrictEqual } from 'node:util';
import type { Endpoint } from './krakend-config.js';

/** URLs of both gateways, and the token of the requests. */
export interface CompareOptions {
  /** URL of the KrakenD. */
  readonly old: string;
  /** URL of the new gateway. */
  readonly now: string;
  /** A token that protected routes accept. */
  readonly token?: string;
}

/** The result of a comparison. */
export interface Comparison {
  /** Number of requests to each gateway. */
  readonly requests: number;
  /** Differences, a line each: route, request, and what is different. */
  readonly differences: readonly string[];
  /** Routes that were not called, with the reason. */
  readonly notAsked: readonly string[];
}

/** The answer of a route. */
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 10 * 1024 * 1024;

/**
 * Sends the same harmless requests to both gateways: `GET` for routes that sign nothing and have no parameters, with
 * the token, without a token, and with an invalid token. Error answers are equal if their status is equal.
 */
export async function compareGateways(
  endpoints: readonly Endpoint[],
  options: CompareOptions,
): Promise<Comparison> {
  const differences: string[] = [];
  const notAsked: string[] = [];
  let requests = 0;
  for (const endpoint of endpoints) {
    const reason = whyNot(endpoint);
    if (reason !== undefined) {
      notAsked.push(`${endpoint.label}: ${reason}`);
      continue;
    }
    for (const [what, headers] of requestsFor(endpoint, options.token)) {
      requests++;
      const [before, after] = await Promise.all([
        ask(`${options.old.replace(/\/$/, '')}${endpoint.path}`, headers),
        ask(`${options.now.replace(/\/$/, '')}${endpoint.path}`, headers),
      ]);
      const difference = differenceOf(before, after);
      if (difference !== undefined) differences.push(`${endpoint.label}${what}: ${difference}`);
    }
  }
  return { requests, differences, notAsked };
}

function whyNot({ method, path, signer }: Endpoint): string | undefined {
  if (method !== 'GET') return 'it may change something';
  if (signer !== undefined) return 'it makes tokens';
  return /[{*]/.test(path) ? 'its path has a parameter' : undefined;
}

type Headers = Readonly<Record<string, string>>;

function requestsFor({ validator }: Endpoint, token?: string): (readonly [string, Headers])[] {
  const name = validator?.authHeaderName ?? 'Authorization';
  const accept = { accept: 'application/json' };
  if (validator === undefined) return [['', accept]];
  return [
    ...(token === undefined
      ? []
      : [[' with the token', { ...accept, [name]: `Bearer ${token}` }] as const]),
    [' without a token', accept],
    [' with a.bad.token', { ...accept, [name]: 'Bearer a.bad.token' }],
  ];
}

/** @returns the answer, or a text that says why there is none */
async function ask(url: string, headers: Headers): Promise<Answer | string> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { headers, redirect: 'manual', signal });
    const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? '';
    const text = await readUpTo(response, MAX_BYTES);
    return { status: response.status, type, body: parsed(text) };
  } catch (error) {
    const { cause, name } = error as Error & { cause?: { code?: string } };
    return `no answer (${cause?.code ?? name})`;
  }
}

async function readUpTo(response: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    if (size > limit) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Parses JSON, so that answers are compared without regard to the order of members. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function differenceOf(before: Answer | string, after: Answer | string): string | undefined {
  if (typeof before === 'string' || typeof after === 'string') {
    const tell = (answer: Answer | string): string =>
      typeof answer === 'string' ? answer : String(answer.status);
    return tell(before) === tell(after) && typeof before === typeof after
      ? undefined
      : `${tell(before)} before, ${tell(after)} now`;
  }
  if (before.status !== after.status) return `status ${before.status} before, ${after.status} now`;
  if (before.status >= 400) return undefined;
  if (before.type !== after.type)
    return `content type ${before.type || 'none'} before, ${after.type || 'none'} now`;
  return isDeepStrictEqual(before.body, after.body) ? undefined : 'another body';
}
