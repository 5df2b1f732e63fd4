import { describe, expect, it } from 'vitest';
import { serverMetadata } from './server-metadata.js';

const BASE = 'https://gw.example';
const OFF = {
  issuer: 'https://issuer.example',
  refresh: false,
  introspection: false,
  basicAuth: false,
  docs: false,
};

describe('serverMetadata', () => {
  it('names what is always there, and nothing that is off', () => {
    expect(serverMetadata(BASE, OFF)).toEqual({
      issuer: 'https://issuer.example',
      token_endpoint: 'https://gw.example/token',
      jwks_uri: 'https://gw.example/.well-known/jwks.json',
      response_types_supported: [],
      grant_types_supported: ['password', 'client_credentials'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
      revocation_endpoint: 'https://gw.example/token/revoke',
      revocation_endpoint_auth_methods_supported: ['none'],
    });
  });

  it.each([
    ['refresh', { grant_types_supported: ['password', 'client_credentials', 'refresh_token'] }],
    [
      'introspection',
      {
        introspection_endpoint: 'https://gw.example/token/introspect',
        introspection_endpoint_auth_methods_supported: ['Bearer'],
      },
    ],
    [
      'basicAuth',
      {
        token_endpoint_auth_methods_supported: [
          'none',
          'client_secret_post',
          'client_secret_basic',
        ],
      },
    ],
    ['docs', { service_documentation: 'https://gw.example/docs' }],
  ])('adds what %s brings', (option, members) => {
    expect(serverMetadata(BASE, { ...OFF, [option]: true })).toEqual({
      ...serverMetadata(BASE, OFF),
      ...members,
    });
  });
});
