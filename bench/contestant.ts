import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server in a process of its own, and what it has used up so far. */
export class Contestant {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly output: () => string,
  ) {}

  /** Starts `script` and waits for its line "Listening on <url>". */
  static async start(
    name: string,
    script: string,
    env: Record<string, string> = {},
    nodeOptions: readonly string[] = [],
  ): Promise<Contestant> {
    const child = spawn(process.execPath, [...nodeOptions, script], {
      env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const url = await new Promise<string>((found, fail) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-10_000);
        const match = /Listening on (http:\/\/[^"\s]+)/.exec(output);
        if (match?.[1] !== undefined) found(match[1]);
      });
      child.once('exit', (code) => fail(new Error(`${name} exited with ${code}`)));
    });
    return new Contestant(name, url, child, () => output);
  }

  /** CPU time so far in microseconds, of all threads of all processes. */
  cpu(): number {
    const threads = this.processes().flatMap((pid) =>
      readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`),
    );
    // In nanoseconds; /proc/<pid>/stat has ticks of 10 ms.
    return (
      threads.reduce((sum, file) => sum + Number.parseInt(readFileSync(file, 'utf8'), 10), 0) / 1000
    );
  }

  /** Its own and its workers'. */
  private processes(): number[] {
    const { pid = NaN } = this.child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
    return [pid, ...children.map(Number)];
  }

  /** What it wrote by the time it was started: the part of the match in parentheses. */
  printed(pattern: RegExp): string {
    const found = pattern.exec(this.output())?.[1];
    if (found === undefined) throw new Error(`${this.name} did not write ${pattern}`);
    return found;
  }

  /** Resident memory in bytes. */
  rss(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  /** Peak resident memory in MB; of its largest process, when there are several. */
  peakRss(): number {
    const peaks = this.processes().map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
    });
    return Math.max(...peaks);
  }

  /** Ends all of its processes, and waits until none of them can write to a file any more. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    const [, ...workers] = this.processes();
    this.child.kill('SIGKILL');
    for (const pid of workers) killIfRunning(pid);
    await exited;
    while (workers.some((pid) => existsSync(`/proc/${pid}/exe`))) await sleep(10);
  }
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
