import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate with its key, both in PEM, and its pin. */
export interface TestCertificate {
  cert: string;
  key: string;
  /** base64url SHA-256 of the SPKI, computed from the key and not from the certificate. */
  pin: string;
}
interface Authority {
  name: string;
  key: KeyObject;
}

const length = (size: number): number[] =>
  size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
/** One DER element. */
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...length(content.length)]), content]);
};
const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const time = (ms: number): Buffer =>
  der(
    0x18,
    Buffer.from(
      `${new Date(ms)
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(0, 14)}Z`,
    ),
  );
const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));
const pem = (cert: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${cert.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

const alternativeNames = (hosts?: readonly string[]): Buffer[] =>
  hosts?.map((host) => der(0x82, Buffer.from(host))) ?? [der(0x87, Buffer.from([127, 0, 0, 1]))];

/** ecdsa-with-SHA256 */
const ALGORITHM = sequence(oid('2a8648ce3d040302'));
const DAY = 86_400_000;

/**
 * A fresh P-256 certificate for 127.0.0.1: self-signed, or issued by `issuer`. Needs no openssl.
 *
 * @param subject.hosts names that it is for instead
 * @param subject.publicKey a key that it is for instead; `key` does not belong to it then
 */
export function createCertificate(
  name: string,
  issuer?: Authority,
  subject: { hosts?: readonly string[]; publicKey?: KeyObject } = {},
): TestCertificate & { authority: Authority } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = { name, key: privateKey };
  const spki = (subject.publicKey ?? publicKey).export({ type: 'spki', format: 'der' });
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const constraints = issuer === undefined ? sequence(der(0x01, Buffer.from([255]))) : sequence();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ALGORITHM,
    commonName((issuer ?? authority).name),
    sequence(time(Date.now() - DAY), time(Date.now() + DAY)),
    commonName(name),
    spki,
    der(
      0xa3,
      sequence(
        extension('551d13', constraints),
        extension('551d11', sequence(...alternativeNames(subject.hosts))),
      ),
    ),
  );
  const signature = sign('sha256', body, (issuer ?? authority).key);
  const cert = sequence(body, ALGORITHM, der(0x03, Buffer.from([0]), signature));
  return {
    cert: pem(cert),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    pin: createHash('sha256').update(spki).digest('base64url'),
    authority,
  };
}
