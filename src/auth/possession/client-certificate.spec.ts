import { hash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCertificate } from '../../../test/helpers/network/certificate.js';
import { thumbprintOfHeader } from './client-certificate.js';

const PEM = createCertificate('client').cert;
const OTHER = createCertificate('other').cert;
const DER = new X509Certificate(PEM).raw;
const THUMBPRINT = hash('sha256', DER, 'base64url');
const BASE64 = DER.toString('base64');
const ESCAPED = encodeURIComponent(PEM);
const HEX = hash('sha256', DER, 'hex');

describe('a certificate in the header of a proxy is understood', () => {
  it.each([
    ['PEM, escaped (nginx $ssl_client_escaped_cert)', ESCAPED],
    ['PEM, escaped but for +, = and / (AWS)', PEM.replaceAll('\n', '%0A').replaceAll(' ', '%20')],
    ['PEM, escaped, with those that issued it behind', encodeURIComponent(PEM + OTHER)],
    ['PEM on one line', PEM.replaceAll('\n', ' ')],
    ['PEM with tabs (nginx $ssl_client_cert)', PEM.replaceAll('\n', '\n\t')],
    ['DER in base64 (HAProxy, Traefik)', BASE64],
    ['DER in base64, escaped', encodeURIComponent(BASE64)],
    ['DER in base64 between colons (RFC 9440)', `:${BASE64}:`],
    ['XFCC of Envoy', `By=spiffe://a;Hash=${'0'.repeat(64)};Cert="${ESCAPED}";Subject="CN=a, O=\\"b;c\\"";URI=`],
    ['XFCC with several names', `Hash=${HEX};DNS=a;DNS=b;URI=c`],
    ['XFCC with the hash only', `By=x;Hash=${HEX.toUpperCase()}`],
    ['XFCC with an empty certificate', `Hash=${HEX};Cert=""`],
  ])('%s', (_name, header) => {
    expect(thumbprintOfHeader(header)).toBe(THUMBPRINT);
  }); // prettier-ignore
});

describe('a certificate in the header of a proxy is refused', () => {
  it.each([
    ['nothing', ''],
    ['(null), as Apache says', '(null)'],
    ['no base64', '!!!'],
    ['base64 of something else', Buffer.from('no certificate').toString('base64')],
    ['a cut one', BASE64.slice(0, 200)],
    ['two after each other', `${BASE64},${BASE64}`],
    ['two after each other, as Node joins headers', `${ESCAPED}, ${ESCAPED}`],
    ['another kind of PEM', ESCAPED.replaceAll('CERTIFICATE', 'PUBLIC%20KEY')],
    ['a broken escape', `${ESCAPED}%`],
    ['XFCC with two elements', `Hash=${HEX},Hash=${HEX}`],
    ['XFCC that a client begins', `Cert="${encodeURIComponent(OTHER)}",Cert="${ESCAPED}"`],
    ['XFCC with two certificates', `Cert="${ESCAPED}";Cert="${encodeURIComponent(OTHER)}"`],
    ['XFCC with an open quote', `Cert="${ESCAPED}`],
    ['XFCC with a short hash', `Hash=${HEX.slice(1)}`],
    ['XFCC without either', 'By=x;Subject="CN=a"'],
  ])('%s', (_name, header) => {
    expect(thumbprintOfHeader(header)).toBeUndefined();
  }); // prettier-ignore

  it('whatever its length, in time that grows with it', () => {
    for (const part of ['"', '\\"', 'Cert="', 'By=;', '%25', 'A', ':', ' ', '-----BEGIN CERTIFICATE-----']) {
      const hostile = `Hash="${part.repeat(200_000 / part.length)}`;
      const start = performance.now();
      expect(thumbprintOfHeader(hostile)).toBeUndefined();
      expect(thumbprintOfHeader(hostile.slice(6))).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(2000);
    }
  }); // prettier-ignore
});
