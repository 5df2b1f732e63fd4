import type { Command } from 'commander';
import { algorithmSpec, isJwsAlgorithm } from '../../../core/jws/index.js';
import { importJwk } from '../../../core/keys/index.js';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import { addKey, type Destination } from '../files/add-key.js';
import { createJwk, withLifecycle } from '../material/new-key.js';
import {
  addOption,
  algOption,
  fileOption,
  kidOption,
  numberOption,
  stateOption,
} from './options.js';

const LARGEST_RSA_BITS = 16_384;

interface GenerateOptions extends Destination {
  readonly alg: string;
  readonly kid?: string;
  readonly bits?: number;
  readonly print?: boolean;
}

/** `signet keys generate`: makes a new key, in a new file or in an existing one. */
export function registerGenerate(keys: Command, context: CommandContext): void {
  const { settings } = context;
  keys
    .command('generate')
    .description('Make a key of a secure size, in a new file (mode 0600)')
    .addOption(fileOption(settings))
    .addOption(algOption('algorithm (default: SIGNER_ALG)').default(settings.text('SIGNER_ALG')))
    .addOption(kidOption())
    .addOption(numberOption('--bits <n>', 'size of an RSA key (default: 3072)', 2048))
    .addOption(stateOption())
    .addOption(addOption())
    .option('--print', 'write the JWK, secret and all, to standard output and to no file')
    .action((options: GenerateOptions) => generate(options, context));
}

async function generate(
  options: GenerateOptions,
  { keyFiles, output, settings }: CommandContext,
): Promise<void> {
  const { alg, kid, bits, state, file } = options;
  if (!isJwsAlgorithm(alg)) throw new CommandError(`'${alg}' is not a JWS algorithm`);
  if (bits !== undefined && algorithmSpec(alg).kty !== 'RSA')
    throw new CommandError(`--bits is for RSA keys; the size of ${alg} is fixed`);
  if (bits !== undefined && bits > LARGEST_RSA_BITS)
    throw new CommandError(`--bits: at most ${LARGEST_RSA_BITS} are accepted by the gateway`);
  if (options.print === true && options.add === true)
    throw new CommandError('--print and --add are both set; choose one');
  const jwk = await output.during('making the key', () => createJwk(alg, kid, bits));
  if (options.print === true) {
    importJwk(jwk);
    return output.json(state === undefined ? jwk : withLifecycle(jwk, { state }));
  }
  await addKey(jwk, options, keyFiles);
  const kidOfKey = String(jwk.kid);
  const { stepAfter } = await import('./next-step.js');
  output.fields([
    ['kid', kidOfKey],
    ['alg', alg],
    ['file', file],
    ['next', stepAfter(await keyFiles.open(file), kidOfKey, alg, settings)],
  ]);
}
