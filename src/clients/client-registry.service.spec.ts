import { writeFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientsText, withSecret, writeClients } from '../../test/helpers/sessions/clients.js';
import { startJwksServer, type JwksServer } from '../../test/helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf, writeKeys } from '../../test/helpers/issuers/keys.js';
import { JwkKeyStore } from '../jwks/index.js';
import { ClientRegistry } from './client-registry.service.js';

const registered = withSecret('s', { client_id: 'a', grant_types: [] });
const withUri = (client_id: string, jwks_uri: string) => ({
  client_id,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks_uri,
  grant_types: [],
});

describe('ClientRegistry', () => {
  const lines: string[] = [];
  const closing: (() => unknown)[] = [];
  beforeEach(() => {
    lines.length = 0;
    const note = (text: unknown): void => void lines.push(String(text));
    Logger.overrideLogger({ log: () => undefined, warn: note, error: note });
  });
  afterEach(async () => {
    Logger.overrideLogger(true);
    for (const close of closing.splice(0)) await close();
  });

  async function open(path: string) {
    const keys = await JwkKeyStore.open({
      signing: { path: writeKeys([await generateJwk('HS256', 'k')]) },
      reloadIntervalMs: 0,
      remote: { allowHttp: true },
    });
    const registry = await ClientRegistry.open({ path, issuer: 'i', reloadIntervalMs: 10 }, keys);
    closing.push(
      () => registry.onApplicationShutdown(),
      () => keys.onApplicationShutdown(),
    );
    return { registry, keys };
  }
  async function jwksServer(): Promise<JwksServer> {
    const server = await startJwksServer([publicHalf(await generateJwk('ES256', 'c'))]);
    closing.push(() => server.down());
    return server;
  }
  const followed = (keys: JwkKeyStore): string[] =>
    keys
      .staleSeconds()
      .map(({ source }) => source)
      .filter((source) => source.startsWith('http'));

  it('follows the key sets of the clients that there are, each once', async () => {
    const [one, other] = [await jwksServer(), await jwksServer()];
    const path = writeClients([withUri('a', one.url), withUri('b', one.url)]);
    const { registry, keys } = await open(path);
    expect(followed(keys)).toEqual([one.url]);
    expect(one.fetches).toHaveLength(1);
    const [a, b] = [registry.get('a'), registry.get('b')];
    if (a === undefined || b === undefined) throw new Error('no client');
    const source = registry.keySource(a);
    expect(registry.keySource(b)).toBe(source);
    expect(keys.verificationKeys({ alg: 'ES256', kid: 'c' }, source)).toHaveLength(1);

    writeFileSync(path, clientsText([withUri('b', one.url), withUri('c', other.url)]));
    await expect.poll(() => followed(keys)).toEqual([one.url, other.url]);
    expect(registry.get('a')).toBeUndefined();
    // The set that stays is the same one.
    expect(one.fetches).toHaveLength(1);
    writeFileSync(path, clientsText([registered]));
    await expect.poll(() => followed(keys)).toEqual([]);
    // Its keys are gone.
    expect(() => keys.verificationKeys({ alg: 'ES256' }, source)).toThrow(/not available/);
  });

  it('keeps a set open that somebody else uses, too', async () => {
    const server = await jwksServer();
    const path = writeClients([withUri('a', server.url)]);
    const { registry, keys } = await open(path);
    const shared = { url: server.url, options: { identifyStrategy: 'kid' as const } };
    await keys.openVerification(shared);
    writeFileSync(path, clientsText([registered]));
    await expect.poll(() => registry.get('a')?.method).toBe('client_secret_basic');
    expect(keys.verificationKeys({ alg: 'ES256', kid: 'c' }, shared)).toHaveLength(1);
    expect(followed(keys)).toEqual([server.url]);
  });

  it('takes nothing of a file that names a key set which cannot be used', async () => {
    const server = await jwksServer();
    const path = writeClients([registered]);
    const { registry, keys } = await open(path);
    writeFileSync(path, clientsText([withUri('b', server.url), withUri('c', 'http://u\u0000/')]));
    await expect.poll(() => lines).toHaveLength(1);
    expect(registry.get('a')).toBeDefined();
    expect(registry.get('b')).toBeUndefined();
    expect(followed(keys)).toEqual([]);
    // The sets in use are still open.
    expect(keys.signingKey('HS256', 'k').kid).toBe('k');
  });

  it('goes on without the keys of a client that is away', async () => {
    const server = await jwksServer();
    await server.down();
    const path = writeClients([withUri('c0', server.url), { ...registered, client_id: 'c1' }]);
    const { registry, keys } = await open(path);
    expect(registry.get('c1')).toBeDefined();
    expect(keys.ready()).toBe(true);
    expect(lines).toEqual([expect.stringMatching(/there are no keys/)]);
  });

  it('takes a list of registrations', async () => {
    const keys = await JwkKeyStore.open({
      signing: { path: writeKeys([await generateJwk('HS256', 'k')]) },
      reloadIntervalMs: 0,
    });
    const registry = await ClientRegistry.open({ clients: [registered], issuer: 'i' }, keys);
    expect(registry.get('a')?.method).toBe('client_secret_basic');
    const wrong = ClientRegistry.open(
      { clients: [{ ...registered, client_id: '' }], issuer: 'i' },
      keys,
    );
    await expect(wrong).rejects.toMatchObject({
      name: 'BootError',
      problems: [
        expect.stringMatching(/the option clients of ClientsModule: client 1: 'client_id'/),
      ],
    });
  });
});
