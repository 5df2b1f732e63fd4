import type { IncomingMessage } from 'node:http';
import { CsrfRefused } from './auth.errors.js';

/**
 * For a request that changes something and is trusted because of a cookie, which browsers send
 * along whoever asks them to: it has to come from the gateway's own origin. Browsers say so in
 * `Sec-Fetch-Site` or `Origin`, neither of which a page can forge.
 *
 * @param publicUrl where browsers reach the gateway; left out, the host that they addressed
 * @throws CsrfRefused 403 `csrf_refused`, also when the request says nothing of where it comes from
 */
export function assertSameOrigin({ headers }: IncomingMessage, publicUrl?: string): void {
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin') return;
  if (site !== undefined || headers.origin === undefined) throw new CsrfRefused();
  const origin = URL.parse(headers.origin);
  const same =
    publicUrl === undefined
      ? origin !== null && origin.host === headers.host?.toLowerCase()
      : origin?.origin === new URL(publicUrl).origin;
  if (!same) throw new CsrfRefused();
}
