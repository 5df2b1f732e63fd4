import { execFileSync } from 'node:child_process';

/** Installs what the lock file of a folder says. What npm says goes to stderr: stdout belongs to a command that follows. */
export function npmCi(directory, ...options) {
  execFileSync('npm', ['ci', '--no-audit', '--prefix', directory, ...options], {
    cwd: directory,
    stdio: ['ignore', 2, 2],
  });
}
