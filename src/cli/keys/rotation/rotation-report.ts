import { AUTO_KID } from '../../../core/keys/index.js';
import { toIsoTime } from '../../output.js';
import type { Settings } from '../../settings.js';
import type { Rotation } from './rotate-keys.js';
import type { Step } from './rotation-rules.js';

/** Describes what a rotation did, what comes next, and what else has to be configured, a line each. */
export function describeRotation(rotation: Rotation, settings: Settings): string[] {
  const { step, created, purged, next } = rotation;
  const notes =
    step.kind === 'prepare' || step.kind === 'activate'
      ? configurationNotes(rotation, settings)
      : [];
  return [
    describeStep(step, created),
    ...purged.map((kid) => `removed    ${kid}`),
    describeNext(next),
    ...[...algorithmNotes(rotation), ...notes].map((note) => `note       ${note}`),
  ];
}

function describeStep(step: Step, created: string | undefined): string {
  switch (step.kind) {
    case 'prepare':
      return `prepared   ${created}: pending, it is published and does not sign yet`;
    case 'schedule':
      return `scheduled  ${step.kid}: pending, it is published and does not sign yet`;
    case 'activate': {
      const old = step.replaces.map((kid) => `; ${kid} verifies until ${toIsoTime(step.notAfter)}`);
      return `activated  ${step.kid}: it signs from now on${old.join('')}`;
    }
    case 'retire':
      return `retired    ${step.kids.join(', ')}: tokens of it are refused from now on`;
    default:
      return 'nothing to do yet';
  }
}

const INTENTIONS: Readonly<Record<Step['kind'], string>> = {
  prepare: 'prepare another key',
  schedule: 'schedule the pending key',
  activate: 'activate',
  retire: 'retire',
  wait: 'wait',
};

/** Describes the next step, and when it is due. */
function describeNext(next: Step): string {
  if (next.kind !== 'wait') return `next       ${INTENTIONS[next.kind]}, with the next call`;
  const { step, kid, until } = next;
  const whom = step.kind === 'prepare' ? '' : ` ${kid}`;
  return `next       ${INTENTIONS[step.kind]}${whom}, from ${toIsoTime(until)} on`;
}

const algorithmNotes = ({ alg, otherAlgorithms }: Rotation): string[] =>
  otherAlgorithms.length === 0
    ? []
    : [
        `these are the keys of ${alg}, the default of SIGNER_ALG; the file has keys of ${otherAlgorithms.join(', ')}, too: rotate those with --alg`,
      ];

/** Returns notes on what else has to be configured for a rotation to take effect. */
function configurationNotes({ alg }: Rotation, settings: Settings): string[] {
  const notes: string[] = [];
  if (settings.text('SIGNER_KID') !== AUTO_KID)
    notes.push('the gateway follows the active key only with SIGNER_KID=auto');
  if (alg.startsWith('HS'))
    notes.push(
      'a symmetric key is in no JWKS: whoever verifies its tokens needs this file, before the key signs',
    );
  const validator = settings.given('VALIDATOR_JWK_LOCAL_PATH');
  if (validator !== undefined && validator !== settings.text('SIGNER_JWK_LOCAL_PATH'))
    notes.push(`tokens are verified with ${validator}, which needs the new key, too`);
  if (settings.wholeNumber('KEY_RELOAD_INTERVAL_MS') === 0)
    notes.push('KEY_RELOAD_INTERVAL_MS=0: restart the gateway after each step');
  return notes;
}
