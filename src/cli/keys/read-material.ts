import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { JsonWebKey } from 'node:crypto';
import { CommandError } from '../command.error.js';
import { parsePem } from './parse-pem.js';
import { parseSecret } from './parse-secret.js';

/** Where key material comes from; standard input if neither is given. */
export interface MaterialOptions {
  readonly pem?: string;
  readonly secretFile?: string;
  readonly encoding?: string;
}

/** A key as a JWK without kid and alg, and what it was read as, for the operator. */
export interface KeyMaterial {
  readonly material: JsonWebKey;
  readonly description: string;
}

/** Reads a PEM or a secret. @throws CommandError without any of the contents */
export async function readMaterial(options: MaterialOptions): Promise<KeyMaterial> {
  const { pem, secretFile, encoding } = options;
  if (pem !== undefined && secretFile !== undefined)
    throw new CommandError('--pem and --secret-file are both set; choose one');
  const contents = await readInput(pem ?? secretFile);
  const isPem = contents.includes('-----BEGIN ');
  if (isPem && secretFile !== undefined)
    // A public key taken as a secret would let everybody sign.
    throw new CommandError('--secret-file is a PEM; use --pem');
  if (!isPem && pem !== undefined) throw new CommandError('--pem holds no PEM');
  if (isPem && encoding !== undefined) throw new CommandError('--encoding is for secrets');
  return isPem ? parsePem(contents) : parseSecret(contents, encoding);
}

async function readInput(path: string | undefined): Promise<string> {
  if (path === undefined) return text(process.stdin);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path}: cannot be read (${error.code})`);
  });
}
