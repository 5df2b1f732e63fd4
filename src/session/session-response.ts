import type { SessionRecord } from '../state/index.js';

/** A session as the routes show it; times in seconds since 1970. */
export interface SessionResponse {
  readonly sid: string;
  /** Time of the login. */
  readonly created_at: number;
  /** Time of the login or the last refresh. */
  readonly last_used_at: number;
  readonly expires_at: number;
  readonly client_id?: string | undefined;
  readonly user_agent?: string | undefined;
  /** The network of the last use. */
  readonly address?: string | undefined;
  /** True for the session of the request's token. Left out for other sessions. */
  readonly current?: true;
}

/** A session as the routes show it; times are whole seconds. */
export const toSessionResponse = (
  { sid, createdAt, usedAt, expiresAt, clientId, userAgent, network }: SessionRecord,
  current?: string,
): SessionResponse => ({
  sid,
  created_at: Math.floor(createdAt),
  last_used_at: Math.floor(usedAt),
  expires_at: Math.floor(expiresAt),
  client_id: clientId,
  user_agent: userAgent,
  address: network,
  ...(sid === current ? { current: true } : {}),
});

const SECONDS = { type: 'integer', description: 'seconds since 1970' };

/** Schema of the list of sessions in the OpenAPI document. */
export const SESSIONS_SCHEMA = {
  title: 'Sessions',
  type: 'object',
  required: ['sessions'],
  properties: {
    sessions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['sid', 'created_at', 'last_used_at', 'expires_at'],
        properties: {
          sid: { type: 'string' },
          created_at: { ...SECONDS, description: 'the login, in seconds since 1970' },
          last_used_at: {
            ...SECONDS,
            description: 'the login or the last refresh, in seconds since 1970',
          },
          expires_at: SECONDS,
          client_id: { type: 'string' },
          user_agent: { type: 'string' },
          address: {
            type: 'string',
            description: 'network of the last use: /24 of IPv4, /48 of IPv6',
            example: '192.0.2.0/24',
          },
          current: { type: 'boolean', description: 'the session of this token' },
        },
      },
    },
  },
};
