import { NotFoundException } from '@nestjs/common';
import { readClaim, claimText } from '../../core/claims/index.js';
import { ClaimForBackendMissingException } from '../backend.exceptions.js';

const PLACEHOLDER = /\{JWT\.([^{}]+)\}/g;

/**
 * Fills `{JWT.<claim>}` in a backend path. Values are percent-encoded, so that a claim can never
 * become a separator, a query or another path segment.
 *
 * @param template e.g. `/user/{JWT.sub}`
 * @param claims verified claims of the request's token
 * @throws ClaimForBackendMissingException when a claim is absent, empty, invalid Unicode, neither string, number nor
 * boolean, or would make a segment `.` or `..`
 */
export function fillPath(
  template: string,
  claims: Readonly<Record<string, unknown>> | undefined,
): string {
  if (!template.includes('{JWT.')) return template;
  const path = template.replace(PLACEHOLDER, (_placeholder, name: string) =>
    encodeClaim(name, claims === undefined ? undefined : readClaim(claims, name, true)),
  );
  // An encoded value holds no slash, so only a whole segment can still mean "up" or "here".
  if (/\/\.\.?(?=[/?]|$)/.test(path))
    throw new ClaimForBackendMissingException('a claim for the backend path is "." or ".."');
  return path;
}

function encodeClaim(name: string, value: unknown): string {
  const text = claimText(value);
  if (text === undefined || text === '')
    throw new ClaimForBackendMissingException(`claim '${name}' is needed for the backend path`);
  if (!text.isWellFormed())
    throw new ClaimForBackendMissingException(`claim '${name}' is not valid Unicode`);
  return encodeURIComponent(text);
}

/**
 * Encodes a route parameter as one segment of a backend path, so that it cannot become a separator or a query.
 *
 * @throws NotFoundException for `.`, `..`, an empty value or invalid Unicode
 */
export function pathSegment(value: string): string {
  if (/^\.{0,2}$/.test(value) || !value.isWellFormed()) throw new NotFoundException();
  return encodeURIComponent(value);
}
