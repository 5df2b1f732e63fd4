import type { Command } from 'commander';
import { algorithmSpec, isJwsAlgorithm } from '../../core/jws/index.js';
import { CommandError } from '../command.error.js';
import { setting } from '../environment.js';
import { addKey, type Destination } from './add-key.js';
import { importJwk } from './gateway-keys.js';
import { createJwk, withLifecycle } from './new-key.js';
import {
  addOption,
  algOption,
  fileOption,
  kidOption,
  numberOption,
  stateOption,
} from './options.js';
import { say, sayJson } from './output.js';

const LARGEST_RSA_BITS = 16_384;

interface GenerateOptions extends Destination {
  readonly alg: string;
  readonly kid?: string;
  readonly bits?: number;
  readonly print?: boolean;
}

/** `signet keys generate`: a fresh key in a file of its own, or beside others. */
export function registerGenerate(keys: Command): void {
  keys
    .command('generate')
    .description('Make a key of a secure size, in a new file (mode 0600)')
    .addOption(fileOption())
    .addOption(algOption('algorithm (default: SIGNER_ALG)').default(setting('SIGNER_ALG')))
    .addOption(kidOption())
    .addOption(numberOption('--bits <n>', 'size of an RSA key (default: 3072)', 2048))
    .addOption(stateOption())
    .addOption(addOption())
    .option('--print', 'write the JWK, secret and all, to standard output and to no file')
    .action(generate);
}

async function generate(options: GenerateOptions): Promise<void> {
  const { alg, kid, bits, state, file } = options;
  if (!isJwsAlgorithm(alg)) throw new CommandError(`'${alg}' is not a JWS algorithm`);
  if (bits !== undefined && algorithmSpec(alg).kty !== 'RSA')
    throw new CommandError(`--bits is for RSA keys; the size of ${alg} is fixed`);
  if (bits !== undefined && bits > LARGEST_RSA_BITS)
    throw new CommandError(`--bits: at most ${LARGEST_RSA_BITS} are accepted by the gateway`);
  if (options.print === true && options.add === true)
    throw new CommandError('--print and --add are both set; choose one');
  const jwk = await createJwk(alg, kid, bits);
  if (options.print === true) {
    importJwk(jwk);
    return sayJson(state === undefined ? jwk : withLifecycle(jwk, { state }));
  }
  await addKey(jwk, options);
  say(`kid   ${String(jwk.kid)}`);
  say(`alg   ${alg}`);
  say(`file  ${file}`);
}
