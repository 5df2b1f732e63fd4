import { NotFoundException } from '@nestjs/common';

/**
 * A parameter of a route as one segment of a backend path: encoded, so that it cannot become a
 * separator or a query.
 *
 * @throws NotFoundException for what would mean "here" or "up", or is empty
 */
export function pathSegment(value: string): string {
  if (/^\.{0,2}$/.test(value) || !value.isWellFormed()) throw new NotFoundException();
  return encodeURIComponent(value);
}
