import type { Freshness, KeyDocument } from '../../jwks/index.js';
import type { Question } from '../../management/index.js';

/** What was read of a key set, or why it could not be. */
export type KeyAnswer = { readonly document: KeyDocument } | { readonly problem: string };

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly signet: 'shut-down' | 'reload' }
  /** Without an answer the worker is to read the set, and to tell. */
  | { readonly signet: 'keys'; readonly id: number; readonly answer?: KeyAnswer }
  | {
      readonly signet: 'question';
      readonly id: number;
      readonly name: Question;
      readonly about?: unknown;
    };

/** What a worker tells the primary. */
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
  /** One that cannot be answered has none. */
  | { readonly signet: 'answer'; readonly id: number; readonly answer?: unknown };

/** Libraries may use the same channel. */
const isOurs = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'signet' in value;
export const isToWorker = (value: unknown): value is ToWorker => isOurs(value);
export const isToPrimary = (value: unknown): value is ToPrimary => isOurs(value);
