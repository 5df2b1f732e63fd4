import type { Command } from 'commander';
import type { JwsAlgorithm } from '../../../core/jws/index.js';
import { importJwk, KeyError, thumbprint } from '../../../core/keys/index.js';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import { addKey, type Destination } from '../files/add-key.js';
import type { Jwk } from '../files/key-files.js';
import { algorithmsOf } from '../files/select-keys.js';
import { isPem, parsePem, parseSecret, type KeyMaterial } from '../material/key-material.js';
import { addOption, algOption, fileOption, kidOption, stateOption } from './options.js';

interface ImportOptions extends Destination {
  readonly alg?: JwsAlgorithm;
  readonly kid?: string;
  readonly pem?: string;
  readonly secretFile?: string;
  readonly encoding?: string;
}

/** `signet keys import`: converts a PEM or a secret to a JWK. */
export function registerImportKey(keys: Command, context: CommandContext): void {
  keys
    .command('import')
    .description('Make a JWK of a PEM file or a secret, from a file or from standard input')
    .addOption(fileOption(context.settings))
    .option('--pem <path>', 'PEM: PKCS#8, PKCS#1, SEC1, SPKI or a certificate')
    .option('--secret-file <path>', 'HMAC secret; it is never taken as an argument')
    .option(
      '--encoding <name>',
      'how the secret is written: base64, base64url, hex, text (default: seen from it, never text)',
    )
    .addOption(algOption('algorithm (default: the only one that fits)'))
    .addOption(kidOption())
    .addOption(stateOption())
    .addOption(addOption())
    .action((options: ImportOptions) => importKey(options, context));
}

async function importKey(options: ImportOptions, context: CommandContext): Promise<void> {
  const { material, description } = await readMaterial(options, context);
  const kid = options.kid ?? thumbprint(material);
  const { kty, ...rest } = material;
  const alg = options.alg ?? onlyAlgorithm({ kty, kid, ...rest });
  await addKey({ kty, kid, alg, use: 'sig', ...rest }, options, context.keyFiles);
  const { keyFiles, output, settings } = context;
  const { stepAfter } = await import('./next-step.js');
  output.fields([
    ['kid', kid],
    ['alg', alg],
    ['file', options.file],
    ['from', description],
    ['next', stepAfter(await keyFiles.open(options.file), kid, alg, settings)],
  ]);
}

/** Reads a PEM or a secret; from standard input if no file is named. */
async function readMaterial(
  { pem, secretFile, encoding }: ImportOptions,
  context: CommandContext,
): Promise<KeyMaterial> {
  if (pem !== undefined && secretFile !== undefined)
    throw new CommandError('--pem and --secret-file are both set; choose one');
  const file = pem ?? secretFile;
  const text =
    file === undefined ? await context.readInput() : (await context.files.read(file)).text;
  if (isPem(text)) {
    // With a public key as HMAC secret, everybody could sign.
    if (secretFile !== undefined) throw new CommandError('--secret-file is a PEM; use --pem');
    if (encoding !== undefined) throw new CommandError('--encoding is for secrets');
    return parsePem(text);
  }
  if (pem !== undefined) throw new CommandError('--pem holds no PEM');
  return parseSecret(text, encoding);
}

function onlyAlgorithm(jwk: Jwk): JwsAlgorithm {
  const imported = importJwk(jwk);
  if (typeof imported === 'string') throw new KeyError(imported);
  const [only, ...others] = algorithmsOf(imported.key);
  if (only === undefined) throw new CommandError('the key fits no algorithm');
  if (others.length > 0)
    throw new CommandError(
      `the key fits ${[only, ...others].join(', ')}; choose one with --alg, since one key serves one algorithm`,
    );
  return only;
}
