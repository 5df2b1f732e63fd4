import { createTestIssuer, type TestHeader, type TestIssuer } from './test-issuer.js';

let shared: TestIssuer | undefined;

/** The issuer behind {@link signTestToken}; one per process. */
export const testIssuer = (): TestIssuer => (shared ??= createTestIssuer());

/**
 * A token of {@link testIssuer}, whose `jwksOptions` and `authOptions` the application under test
 * is given; see `TestIssuer.sign`.
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
