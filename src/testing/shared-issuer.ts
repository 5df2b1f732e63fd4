import { createTestIssuer, type TestHeader, type TestIssuer } from './test-issuer.js';

let shared: TestIssuer | undefined;

/** The issuer of {@link signTestToken}. There is one per process. */
export const testIssuer = (): TestIssuer => (shared ??= createTestIssuer());

/**
 * Signs a token of {@link testIssuer}. Give its `jwksOptions` and `authOptions` to the application under test.
 *
 * @param claims see `TestIssuer.sign`
 * @param header members of the header to change
 *
 * @example
 * ```ts
 * const token = await signTestToken({ roles: ['clerk'] });
 * ```
 */
export const signTestToken = (
  claims?: Readonly<Record<string, unknown>>,
  header?: TestHeader,
): Promise<string> => testIssuer().sign(claims, header);
