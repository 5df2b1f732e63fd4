import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';

/** Making a million takes minutes. */
export const REVOCATIONS = process.argv.includes('--quick') ? 10_000 : 1_000_000;
const BATCH = 5000;
const FAR_FUTURE = 4_000_000_000;

/** What is used of the built state store. */
interface BuiltState {
  readonly openStore: (url: string) => Promise<{
    addRevocation(revocation: object): Promise<void>;
    close(): Promise<void>;
  }>;
}

/** Makes a state store with that many revoked tokens. @returns its file */
export async function fillDatabase(file: string): Promise<string> {
  const { openStore } = (await import(resolve('dist', 'state', 'index.js'))) as BuiltState;
  const store = await openStore(`sqlite:${file}`);
  for (let done = 0; done < REVOCATIONS; done += BATCH)
    await Promise.all(
      Array.from({ length: BATCH }, () =>
        store.addRevocation({
          id: randomUUID(),
          kind: 'jti',
          value: randomUUID(),
          before: null,
          createdAt: 1_795_000_000,
          expiresAt: FAR_FUTURE,
        }),
      ),
    );
  await store.close();
  return file;
}
