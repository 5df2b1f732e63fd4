import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../helpers/apps/compile.js';
import {
  createConsumer,
  ES_MODULES,
  pack,
  startConsumer,
  USUAL_PACKAGES,
} from '../helpers/apps/consumer.js';
import { freePort } from '../helpers/run/free-port.js';
import { call } from '../helpers/network/http.js';
import { blocksOf, writeBlock } from '../helpers/pages/manual.js';
import { startOpenIdProvider, type OpenIdProvider } from '../helpers/issuers/oidc.js';
import { kill, track } from '../helpers/run/resources.js';
import { verdictOf } from '../helpers/sessions/sessions.js';

/** The recipe "An MCP server in Nest": its server, and its client of the MCP SDK, in processes of their own. */
const [MODULE, MAIN, CLIENT] = blocksOf('recipes', 'An MCP server in Nest', 'ts', 'ts', 'ts');
const [STEP_UP] = blocksOf('recipes', 'Step-up', 'ts');
const SDK = '@modelcontextprotocol/sdk';

/** What is different here: plain http to the provider, and ports that are free. */
function changed(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replaceAll(from, to);
}

let provider: OpenIdProvider;
let directory: string;
let server: Awaited<ReturnType<typeof startConsumer>> | undefined;
let url: string;
beforeAll(async () => {
  provider = await startOpenIdProvider();
  const [port, callback] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${port}`;
  directory = await createConsumer((await pack()).tarball, ES_MODULES, [...USUAL_PACKAGES, SDK]);
  const source = 'JwksModule.forRoot({ verification';
  const allowHttp = 'JwksModule.forRoot({ remote: { allowHttp: true }, verification';
  writeBlock(changed(MODULE, source, allowHttp), directory);
  writeBlock(`${MAIN}console.log(JSON.stringify({ url: await app.getUrl() }));\n`, directory);
  writeBlock(changed(CLIENT, '8765', String(callback)), directory);
  writeBlock(STEP_UP, directory);
  const problems = compile(directory);
  if (problems !== '') throw new Error(problems);
  const env = { ISSUER: provider.issuer, PUBLIC_URL: url, PORT: String(port) };
  server = await startConsumer(directory, env);
}, 180_000);
afterAll(async () => {
  await server?.stop();
  await provider?.stop();
});

/** A browser without a screen: follows redirects and keeps cookies, up to the page of the client. */
async function logIn(start: string): Promise<void> {
  const jar = new Map<string, string>();
  let next = start;
  for (let steps = 0; steps < 10; steps++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const { status, headers } = await call(next, { headers: { cookie } });
    for (const line of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    if (status === 200) return;
    next = new URL(headers.get('location') ?? '', next).href;
  }
  throw new Error(`no end of redirects: ${next}`);
}

describe('an MCP server in Nest', () => {
  it('leads a client that knows nothing but its address to the login, and on to its tool', async () => {
    const child = track(
      spawn(process.execPath, ['dist/client.js'], {
        cwd: directory,
        env: { ...process.env, SERVER: `${url}/mcp` },
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const asked: URL[] = [];
    let answer = '';
    for await (const line of createInterface({ input: child.stdout })) {
      const [, login] = /^Log in at (.*)$/.exec(line) ?? [];
      if (login === undefined) answer = line;
      else {
        asked.push(new URL(login));
        await logIn(login);
      }
    }
    await kill(child);
    expect(answer).toMatch(/^\[\{"type":"text","text":"alice, it is \d{4}-[\d:.T-]+Z"\}\]$/);
    // Where it logs in, what for, and how much: all of it was found out.
    expect(asked.map(({ origin }) => origin)).toEqual([provider.issuer]);
    expect(asked[0]?.searchParams.get('resource')).toBe(`${url}/mcp`);
    expect(asked[0]?.searchParams.get('scope')).toBe('clock');
  }, 60_000);

  it('says where, as the recipe says', async () => {
    const refused = await call(`${url}/mcp`, { method: 'POST' });
    expect(verdictOf(refused)).toBe('401 token_missing');
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="signet", scope="clock", resource_metadata="${url}/.well-known/oauth-protected-resource/mcp"`,
    );
    const metadata = await call(`${url}/.well-known/oauth-protected-resource/mcp`);
    expect(metadata.json).toEqual({
      resource: `${url}/mcp`,
      authorization_servers: [provider.issuer],
      scopes_supported: ['clock'],
      bearer_methods_supported: ['header'],
      resource_name: 'Clock',
    });
  });

  it('takes no token that the provider made for another resource', async () => {
    const authorization = `Bearer ${await provider.token('ES256')}`;
    const answer = await call(`${url}/mcp`, { method: 'POST', headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
});
