import type { Command } from 'commander';
import type { JwsAlgorithm } from '../../core/jws/index.js';
import { CommandError } from '../command.error.js';
import { addKey, type Destination } from './add-key.js';
import { importJwk, KeyError, thumbprint } from './gateway-keys.js';
import type { Jwk } from './key-file-contents.js';
import { algorithmsOf } from './rotation-group.js';
import { addOption, algOption, fileOption, kidOption, stateOption } from './options.js';
import { say } from './output.js';
import { readMaterial, type MaterialOptions } from './read-material.js';

interface ImportOptions extends Destination, MaterialOptions {
  readonly alg?: JwsAlgorithm;
  readonly kid?: string;
}

/** `signet keys import`: a PEM or a secret from elsewhere becomes a JWK. */
export function registerImport(keys: Command): void {
  keys
    .command('import')
    .description('Make a JWK of a PEM file or a secret, from a file or from standard input')
    .addOption(fileOption())
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
    .action(importKey);
}

async function importKey(options: ImportOptions): Promise<void> {
  const { material, description } = await readMaterial(options);
  const kid = options.kid ?? thumbprint(material);
  const { kty, ...rest } = material;
  const alg = options.alg ?? onlyAlgorithm({ kty, kid, ...rest });
  await addKey({ kty, kid, alg, use: 'sig', ...rest }, options);
  say(`kid   ${kid}`);
  say(`alg   ${alg}`);
  say(`file  ${options.file}`);
  say(`from  ${description}`);
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
