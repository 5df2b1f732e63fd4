import { execFileSync } from 'node:child_process';

/** Installs the packages of test/packages. */
export default function setUp(): void {
  execFileSync(process.execPath, ['scripts/test-packages.mjs'], { stdio: 'inherit' });
}
