import { nearest } from '../core/text/index.js';
import { isGiven, type RawEnvironment } from './raw-environment.js';
import { VARIABLES } from './variable.js';

/** Prefixes of the variables of the gateway, those of later versions included. */
const PREFIX =
  /^(?:SIGNER|VALIDATOR|BACKEND|TOKEN|REFRESH|THROTTLE|STATE|SESSION|CORS|DPOP|KEY|CLIENTS|ADMIN|INTROSPECTION|MANAGEMENT)_/;

const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//;

/** True for `MANAGEMENT_PORT=tcp://…`, which Kubernetes sets for a service named "management". */
export const isServiceLink = (name: string, value: string | undefined): boolean =>
  name.endsWith('_PORT') && SERVICE_LINK.test(value ?? '');

/** Variables that other software sets, and that have one of our prefixes by chance. */
const FOREIGN: readonly { name: RegExp; value?: RegExp }[] = [
  // Kubernetes, in each pod, for a service named "backend": BACKEND_SERVICE_HOST, BACKEND_SERVICE_PORT_HTTP,
  // BACKEND_PORT=tcp://… and BACKEND_PORT_80_TCP_ADDR.
  { name: /_SERVICE_HOST$/ },
  { name: /_SERVICE_PORT(?:_[A-Z0-9_]+)?$/, value: /^\d+$/ },
  { name: /_PORT$/, value: SERVICE_LINK },
  { name: /_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/ },
  // Docker's container links: the same, and BACKEND_NAME=/gateway/backend.
  { name: /_NAME$/, value: /^\/[^/]+\/[^/]+$/ },
  // X11 session management, on each Linux desktop.
  { name: /^SESSION_MANAGER$/ },
  // systemd, for StateDirectory= of a unit.
  { name: /^STATE_DIRECTORY$/ },
  // GitHub Actions, between the steps of an action: STATE_isPost.
  { name: /^STATE_\w*[a-z]/ },
];

/** Docker's container links also copy all variables of the other container: BACKEND_ENV_NODE_VERSION. */
function isOfLinkedContainer(name: string, raw: RawEnvironment): boolean {
  const alias = /^([A-Z0-9]+)_ENV_/.exec(name)?.[1];
  return alias !== undefined && /^\/[^/]+\/[^/]+$/.test(raw[`${alias}_NAME`] ?? '');
}

const isForeign = (name: string, value: string, raw: RawEnvironment): boolean =>
  FOREIGN.some((rule) => rule.name.test(name) && (rule.value?.test(value) ?? true)) ||
  isOfLinkedContainer(name, raw);

/**
 * Finds variables that have one of our prefixes but are unknown. Most of them are misspelled, so the setting would have
 * no effect.
 *
 * @returns a line per variable, with the most similar name of the same prefix
 */
export function unknownVariables(raw: RawEnvironment): string[] {
  const names = VARIABLES.map(({ name }) => name);
  return Object.entries(raw).flatMap(([name, value]) => {
    if (!PREFIX.test(name) || names.includes(name) || !isGiven(value)) return [];
    if (isForeign(name, value, raw)) return [];
    const [prefix = ''] = PREFIX.exec(name) ?? [];
    const similar = nearest(
      name,
      names.filter((known) => known.startsWith(prefix)),
    );
    const printable = name.replaceAll(/[^\w.-]/g, '?');
    return similar === undefined
      ? [`${printable} is no variable of Signet`]
      : [`${printable} is no variable of Signet; the nearest name is ${similar}`];
  });
}
