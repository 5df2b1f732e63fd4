import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONTENT_SECURITY_POLICY, pageFile, pagePart, type PageFile } from '../assets/index.js';
import type { GatewayStatus } from './gateway-status.js';
import type { ExplainFacts, JsonAnswer } from './questions.js';

/** Metrics in the Prometheus text format. */
export interface MetricsText {
  contentType: string;
  body: string;
}

/** Where the management listener gets its answers from. */
export interface ManagementSource {
  metrics(): Promise<MetricsText>;
  /** @returns `undefined` while no process answers */
  status(): Promise<GatewayStatus | undefined>;
  /** Absent if there is no explain page. */
  readonly explain?: ExplainSource | undefined;
}

/** The source of the answers for the explain page. Both methods return `undefined` while no process answers. */
export interface ExplainSource {
  /** The data that the page is made of. */
  facts(): Promise<ExplainFacts | undefined>;
  /** @param question the request body: `token` and `route`, not validated */
  explain(question: unknown): Promise<JsonAnswer | undefined>;
}

/** Longest request body, in bytes. It has room for the longest token that can be configured. */
const MAX_QUESTION = 256 * 1024;

const JSON_TYPE = 'application/json; charset=utf-8';
const HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

type Reply = { status: number; type?: string; body?: string | Buffer; isPage?: boolean };
const NOT_FOUND: Reply = { status: 404 };

/** Answers one request of the management listener. */
export async function answerManagement(
  request: IncomingMessage,
  response: ServerResponse,
  source: ManagementSource,
): Promise<void> {
  const { status, type, body, isPage } = await replyTo(request, source);
  response
    .writeHead(status, {
      ...HEADERS,
      // Data change with each request, pages and scripts with each version.
      'Cache-Control': type === JSON_TYPE ? 'no-store' : 'no-cache',
      ...(type === undefined ? {} : { 'Content-Type': type }),
      ...(isPage === true ? { 'Content-Security-Policy': CONTENT_SECURITY_POLICY } : {}),
      // The rest of the body is not read.
      ...(status >= 400 && request.method !== 'GET' ? { Connection: 'close' } : {}),
    })
    .end(body);
}

async function replyTo(request: IncomingMessage, source: ManagementSource): Promise<Reply> {
  const { method = '', url = '/' } = request;
  // A query is ignored, and the target may be an absolute URL (RFC 9112 section 3.2.2).
  const path = URL.parse(url, 'http://management')?.pathname ?? '';
  // Node leaves the body of an answer to HEAD out (RFC 9110 section 9.3.2).
  const route = `${method === 'HEAD' ? 'GET' : method} ${path}`;
  if (route === 'GET /metrics') {
    const { contentType, body } = await source.metrics();
    return { status: 200, type: contentType, body };
  }
  if (!isForThisMachine(request)) return { status: 421 };
  switch (route) {
    case 'GET /':
      return page(await pageFile('status'));
    case 'GET /status.json':
      return answered(await statusOf(source));
    default:
  }
  const explainPage = source.explain && (await explainReply(route, request, source.explain));
  if (explainPage !== undefined) return explainPage;
  const [, part] = /^GET \/_pages\/([\w.-]+)$/.exec(route) ?? [];
  const file = part === undefined ? undefined : await pagePart(part);
  return file === undefined ? NOT_FOUND : { status: 200, ...file };
}

/** The status, and whether there is an explain page to link to. */
async function statusOf(source: ManagementSource): Promise<object | undefined> {
  const status = await source.status();
  return status && { ...status, explainPage: source.explain !== undefined };
}

/** @returns `undefined` for a route that is not of the explain page */
async function explainReply(
  route: string,
  request: IncomingMessage,
  source: ExplainSource,
): Promise<Reply | undefined> {
  switch (route) {
    case 'GET /_explain':
      return page(await pageFile('explain'));
    case 'GET /_pages/facts.json':
      return answered(await source.facts());
    case 'POST /_explain': {
      // A page of another origin cannot send this type without a CORS preflight.
      if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? ''))
        return refusal(415, 'media_type_unsupported');
      const text = await readQuestion(request);
      if (text === undefined) return refusal(413, 'body_too_large');
      const question = parseJson(text);
      if (question === undefined) return refusal(400, 'body_malformed');
      const answer = await source.explain(question);
      return answer === undefined ? UNAVAILABLE : { ...answer, type: JSON_TYPE };
    }
    default:
      return undefined;
  }
}

/**
 * Protects a listener on a loopback address against DNS rebinding: the owner of a web page can point its host name to
 * 127.0.0.1, and the page could read the answers. So `Host` has to name this machine.
 */
function isForThisMachine({ socket, headers }: IncomingMessage): boolean {
  if (!/^(?:::ffff:)?127\.|^::1$/.test(socket.localAddress ?? '')) return true;
  const { hostname = '' } = URL.parse(`http://${headers.host ?? ''}`) ?? {};
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** @returns `undefined` for a body that is too long */
async function readQuestion(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_QUESTION) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const page = ({ type, body }: PageFile): Reply => ({ status: 200, type, body, isPage: true });
const refusal = (status: number, code: string, error = 'invalid_request'): Reply => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify({ error, code }),
});
/** The answer while no process that serves requests answers. */
const UNAVAILABLE = refusal(503, 'unavailable', 'temporarily_unavailable');
const answered = (value: object | undefined): Reply =>
  value === undefined ? UNAVAILABLE : { status: 200, type: JSON_TYPE, body: JSON.stringify(value) };
