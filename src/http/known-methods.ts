/**
 * The methods that metrics and spans show by name. All others are shown as one: clients may send any method, and each
 * would add a series to the metrics.
 */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
