/**
 * The methods that metrics and spans show by name. Clients may send others, which are shown as
 * one: each would add a series to the metrics.
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
