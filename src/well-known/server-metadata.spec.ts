import { describe, expect, it } from 'vitest';
import { ASSERTION_ALGORITHMS } from '../core/clients/index.js';
import {
  serverMetadata,
  type ServerMetadataFacts,
  type ServerMetadataOptions,
} from './server-metadata.js';

const OFF: ServerMetadataOptions = {};
const FACTS: ServerMetadataFacts = {
  issuer: 'https://issuer.example',
  endpoints: { token: '/token', revocation: '/token/revoke', jwks: '/.well-known/jwks.json' },
  base: 'https://gw.example',
  algorithms: [],
  scopes: [],
  grantsItself: false,
};

describe('serverMetadata', () => {
  it('names what is always there, nothing that is off, and no empty list', () => {
    expect(serverMetadata(OFF, FACTS)).toEqual({
      issuer: 'https://issuer.example',
      token_endpoint: 'https://gw.example/token',
      jwks_uri: 'https://gw.example/.well-known/jwks.json',
      grant_types_supported: ['password'],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint: 'https://gw.example/token/revoke',
      revocation_endpoint_auth_methods_supported: ['none'],
      subject_types_supported: ['public'],
    });
  });

  it('tells nothing of endpoints that are not there', () => {
    const facts = { ...FACTS, endpoints: { jwks: '/api/keys' } };
    const options = { introspection: ['Bearer'], dpopAlgorithms: ['ES256'] };
    expect(serverMetadata(options, facts)).toEqual({
      issuer: 'https://issuer.example',
      jwks_uri: 'https://gw.example/api/keys',
      subject_types_supported: ['public'],
    });
  });

  it.each<[object, object]>([
    [{ grants: ['a', 'refresh_token'] }, { grant_types_supported: ['a', 'refresh_token'] }],
    [
      { authMethods: ['client_secret_basic'] },
      { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    ],
    [
      {
        introspection: ['Bearer', 'DPoP'],
        endpoints: { ...FACTS.endpoints, introspection: '/token/introspect' },
      },
      {
        introspection_endpoint: 'https://gw.example/token/introspect',
        introspection_endpoint_auth_methods_supported: ['Bearer', 'DPoP'],
      },
    ],
    [
      { authMethods: ['private_key_jwt'] },
      {
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
        token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
      },
    ],
    [
      { revocation: ['none', 'private_key_jwt'] },
      {
        revocation_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
      },
    ],
    [{ grantsItself: true }, { grant_types_supported: ['password', 'client_credentials'] }],
    [
      { grants: ['client_credentials'], grantsItself: true },
      { grant_types_supported: ['client_credentials'] },
    ],
    [{ docs: true }, { service_documentation: 'https://gw.example/docs' }],
    [{ scopes: ['read'] }, { scopes_supported: ['read'] }],
    [{ algorithms: ['ES256'] }, { id_token_signing_alg_values_supported: ['ES256'] }],
  ])('of %j adds %j', (change, members) => {
    expect(serverMetadata({ ...OFF, ...change }, { ...FACTS, ...change })).toEqual({
      ...serverMetadata(OFF, FACTS),
      ...members,
    });
  });
});
