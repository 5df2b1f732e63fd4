import type { Command } from 'commander';
import { nowSeconds } from '../../../core/time/index.js';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import type { Settings } from '../../settings.js';
import { rotateKeys, type RotationOptions } from '../rotation/rotate-keys.js';
import { describeRotation } from '../rotation/rotation-report.js';
import type { RotationTiming } from '../rotation/rotation-rules.js';
import { algOption, fileOption, numberOption } from './options.js';

const DAY = 86_400;
/** `max-age` of the gateway's own JWKS, in seconds. */
const JWKS_MAX_AGE = 300;

interface RotateOptions extends RotationOptions {
  readonly file: string;
  readonly cacheSeconds: number;
  readonly ttlSeconds?: number;
  readonly every: number;
}

/** `signet keys rotate`: does the next step of a rotation if it is due; made for cron. */
export function registerRotate(keys: Command, context: CommandContext): void {
  keys
    .command('rotate')
    .description('Do the next step of a rotation if it is due; to be called every hour, by cron')
    .addOption(fileOption(context.settings))
    .addOption(algOption('rotate the keys of this algorithm (default: SIGNER_ALG)'))
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
    .action((options: RotateOptions) => rotate(options, context));
}

async function rotate(
  options: RotateOptions,
  { keyFiles, output, settings }: CommandContext,
): Promise<void> {
  if (options.force === true && options.now !== true) throw new CommandError('--force needs --now');
  const timing = timingOf(options, settings);
  let lines: readonly string[] = [];
  await keyFiles.change(options.file, async (contents) => {
    const rotation = await output.during('making the next key', () =>
      rotateKeys(contents, options, timing, settings, nowSeconds()),
    );
    lines = describeRotation(rotation, settings);
    return rotation.jwks;
  });
  // Printed only after the file has been written.
  for (const line of lines) output.line(line);
}

function timingOf(
  { cacheSeconds, ttlSeconds, every }: RotateOptions,
  settings: Settings,
): RotationTiming {
  // The gateway uses the old file until it reloads. One second is added for rounding.
  const reload = Math.ceil(settings.wholeNumber('KEY_RELOAD_INTERVAL_MS') / 1000) + 1;
  const ttl =
    ttlSeconds ??
    Math.max(settings.wholeNumber('SIGNER_ACCESS_TTL'), settings.wholeNumber('SIGNER_REFRESH_TTL'));
  return {
    publish: cacheSeconds + reload,
    outlive: ttl + settings.wholeNumber('VALIDATOR_LEEWAY') + reload,
    every: every * DAY,
  };
}
