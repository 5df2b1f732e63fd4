import type { Command } from 'commander';
import type { JwsAlgorithm } from '../../core/jws/index.js';
import { CommandError } from '../command.error.js';
import { wholeNumber } from '../environment.js';
import { changeKeys } from './key-file-contents.js';
import { chooseAlgorithm } from './rotation-group.js';
import { algOption, fileOption, numberOption } from './options.js';
import { say } from './output.js';
import { planRotation, type RotationWishes } from './rotation-plan.js';
import type { RotationTiming } from './rotation.js';

const DAY = 86_400;
/** `max-age` of the gateway's own JWKS, in seconds. */
const JWKS_MAX_AGE = 300;

interface RotateOptions extends RotationWishes {
  readonly file: string;
  readonly alg?: JwsAlgorithm;
  readonly cacheSeconds: number;
  readonly ttlSeconds?: number;
  readonly every: number;
}

/** `signet keys rotate`: does the next step of a rotation if it is due; made for cron. */
export function registerRotate(keys: Command): void {
  keys
    .command('rotate')
    .description('Do the next step of a rotation if it is due; to be called every hour, by cron')
    .addOption(fileOption())
    .addOption(algOption('rotate the keys of this algorithm (default: the one that signs)'))
    .option('--kid <kid>', 'the key that signs, where the file does not say (default: SIGNER_KID)')
    .addOption(
      numberOption('--cache-seconds <n>', 'how long verifiers keep a JWKS', 0).default(
        JWKS_MAX_AGE,
      ),
    )
    .addOption(
      numberOption(
        '--ttl-seconds <n>',
        'longest life of a token (default: the longer of SIGNER_ACCESS_TTL and SIGNER_REFRESH_TTL)',
        0,
      ),
    )
    .addOption(
      numberOption('--every <days>', 'least age of the active key before the next one', 0).default(
        0,
      ),
    )
    .option('--purge', 'remove retired keys from the file')
    .option('--now', 'do not wait for the next step, where that is safe')
    .option('--force', 'with --now: even where valid tokens will be refused')
    .action(rotate);
}

async function rotate(options: RotateOptions): Promise<void> {
  if (options.force === true && options.now !== true) throw new CommandError('--force needs --now');
  const timing = timingOf(options);
  let lines: readonly string[] = [];
  await changeKeys(options.file, async (document) => {
    const alg = options.alg ?? chooseAlgorithm(document, options.kid);
    const now = Math.floor(Date.now() / 1000);
    const plan = await planRotation(document, alg, timing, options, now);
    ({ lines } = plan);
    return plan.jwks;
  });
  // Not before it is true.
  for (const line of lines) say(line);
}

function timingOf({ cacheSeconds, ttlSeconds, every }: RotateOptions): RotationTiming {
  // The gateway works with the old file until it looks again; a second for rounding.
  const reload = Math.ceil(wholeNumber('KEY_RELOAD_INTERVAL_MS') / 1000) + 1;
  const ttl =
    ttlSeconds ?? Math.max(wholeNumber('SIGNER_ACCESS_TTL'), wholeNumber('SIGNER_REFRESH_TTL'));
  return {
    publish: cacheSeconds + reload,
    outlive: ttl + wholeNumber('VALIDATOR_LEEWAY') + reload,
    every: every * DAY,
  };
}
