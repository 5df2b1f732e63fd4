import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemoryStore, STATE_STORE, StateModule, type StateModuleOptions } from './index.js';

async function storeFor(options: Partial<StateModuleOptions>): Promise<unknown> {
  const module = StateModule.forRoot({ longestTokenTtl: 60, ...options });
  const app = await NestFactory.createApplicationContext(module, {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => app.close());
  return app.get(STATE_STORE) as unknown;
}

@Injectable()
class OwnStore extends MemoryStore {
  override readonly description = 'memory' as const;
}

describe('a store of one’s own', () => {
  it('is taken as it is, and closed with the application', async () => {
    const store = new MemoryStore();
    const close = vi.spyOn(store, 'close');
    const module = StateModule.forRoot({ store, longestTokenTtl: 60 });
    const app = await NestFactory.createApplicationContext(module, { logger: false });
    expect(app.get(STATE_STORE)).toBe(store);
    await app.close();
    expect(close).toHaveBeenCalledOnce();
  });

  it('may be a class', async () => {
    expect(await storeFor({ store: OwnStore })).toBeInstanceOf(OwnStore);
  });

  it.each<[Partial<StateModuleOptions>, RegExp]>([
    [{}, /give one of the options url and store$/],
    [{ url: 'memory:', store: new MemoryStore() }, /not both/],
    [
      { store: 'memory:' as never },
      /'store' is a string; it has to be a class, or an instance of one/,
    ],
  ])('needs one of url and store: %o', async (options, problem) => {
    await expect(storeFor(options)).rejects.toThrow(problem);
  });
});
