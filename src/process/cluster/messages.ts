import type { Freshness, KeyDocument } from '../../jwks/index.js';
import type { Question } from '../../management/index.js';

/** A key set as it was read, or why it could not be read. */
export type KeyAnswer = { readonly document: KeyDocument } | { readonly problem: string };

/** A message of the primary to a worker. */
export type ToWorker =
  | { readonly signet: 'shut-down' | 'reload' }
  /** Without an answer, the worker has to read the set and to send it to the primary. */
  | { readonly signet: 'keys'; readonly id: number; readonly answer?: KeyAnswer }
  | {
      readonly signet: 'question';
      readonly id: number;
      readonly name: Question;
      readonly about?: unknown;
    };

/** A message of a worker to the primary. */
export type ToPrimary =
  | { readonly signet: 'boot-failed'; readonly problems: readonly string[] }
  | { readonly signet: 'listening' }
  | { readonly signet: 'alive' }
  | {
      readonly signet: 'read-keys';
      readonly id: number;
      readonly source: string;
      readonly fresh: Freshness;
    }
  | { readonly signet: 'keys-read'; readonly source: string; readonly answer: KeyAnswer }
  /** `answer` is absent if the question could not be answered. */
  | { readonly signet: 'answer'; readonly id: number; readonly answer?: unknown };

/** Messages without the member `signet` are those of libraries that use the same channel. */
const isOurs = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'signet' in value;
export const isToWorker = (value: unknown): value is ToWorker => isOurs(value);
export const isToPrimary = (value: unknown): value is ToPrimary => isOurs(value);
