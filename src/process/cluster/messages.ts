import type { Question } from '../../management/index.js';

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly signet: 'shut-down' | 'reload' }
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
  /** One that cannot be answered has none. */
  | { readonly signet: 'answer'; readonly id: number; readonly answer?: unknown };

/** Libraries may use the same channel. */
const isOurs = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'signet' in value;
export const isToWorker = (value: unknown): value is ToWorker => isOurs(value);
export const isToPrimary = (value: unknown): value is ToPrimary => isOurs(value);
