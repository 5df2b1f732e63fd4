import { given, setting, wholeNumber } from '../environment.js';
import { AUTO_KID } from './gateway-keys.js';
import { isoTime } from './table.js';
import type { Step } from './rotation.js';

/** What a step did, in one line. */
export function describeStep(step: Step, created: string | undefined): string {
  switch (step.kind) {
    case 'prepare':
      return `prepared   ${created}: pending, it is published and does not sign yet`;
    case 'schedule':
      return `scheduled  ${step.kid}: pending, it is published and does not sign yet`;
    case 'activate': {
      const old = step.replaces.map((kid) => `; ${kid} verifies until ${isoTime(step.notAfter)}`);
      return `activated  ${step.kid}: it signs from now on${old.join('')}`;
    }
    case 'retire':
      return `retired    ${step.kids.join(', ')}: tokens of it are refused from now on`;
    default:
      return 'nothing to do yet';
  }
}

/** When the next call has something to do, in one line. */
export function describeNext(next: Step): string {
  if (next.kind !== 'wait') return `next       ${INTENTIONS[next.kind]}, with the next call`;
  const { step, kid, until } = next;
  const whom = step.kind === 'prepare' ? '' : ` ${kid}`;
  return `next       ${INTENTIONS[step.kind]}${whom}, from ${isoTime(until)} on`;
}

/** Why a step is refused before its time. */
export function describeDanger({ step, kid, until }: Extract<Step, { kind: 'wait' }>): string {
  const reason =
    step.kind === 'activate'
      ? `before ${isoTime(until)} verifiers may not know '${kid}' yet and would refuse its tokens`
      : `before ${isoTime(until)} there may be valid tokens of '${kid}', which would be refused`;
  return `too early: ${reason}; --force does it nevertheless`;
}

const INTENTIONS: Readonly<Record<Step['kind'], string>> = {
  prepare: 'prepare another key',
  schedule: 'schedule the pending key',
  activate: 'activate',
  retire: 'retire',
  wait: 'wait',
};

/** What has to be right around the file for a rotation to be one, a line each. */
export function rotationNotes(symmetric: boolean): string[] {
  const notes: string[] = [];
  if (setting('SIGNER_KID') !== AUTO_KID)
    notes.push('the gateway follows the active key only with SIGNER_KID=auto');
  if (symmetric)
    notes.push(
      'a symmetric key is in no JWKS: whoever verifies its tokens needs this file, before the key signs',
    );
  const validator = given('VALIDATOR_JWK_LOCAL_PATH');
  if (validator !== undefined && validator !== setting('SIGNER_JWK_LOCAL_PATH'))
    notes.push(`tokens are verified with ${validator}, which needs the new key, too`);
  if (wholeNumber('KEY_RELOAD_INTERVAL_MS') === 0)
    notes.push('KEY_RELOAD_INTERVAL_MS=0: restart the gateway after each step');
  return notes.map((note) => `note       ${note}`);
}
