import { describe, expect, it } from 'vitest';
import { readEnvironment } from './read-environment.js';
import { unknownVariables } from './unknown-variables.js';

describe('a variable that is none of ours', () => {
  it.each([
    // variable, the nearest name
    ['SIGNER_AGL', 'SIGNER_ALG'],
    ['ADMIN_ROLE', 'ADMIN_ROLES'],
    ['VALIDATOR_REQUIRED_CLAIM', 'VALIDATOR_REQUIRED_CLAIMS'],
    ['VALIDATOR_AUDIENCES', 'VALIDATOR_AUDIENCE'],
    ['BACKEND_URL', 'BACKEND_HOST'],
    ['BACKEND_PORT', 'BACKEND_HOST'],
    ['TOKEN_PATH', 'TOKEN_BACKEND_PATH'],
    ['REFRESH_TTL', 'REFRESH_ABSOLUTE_TTL'],
    ['THROTTLE_LIMITS', 'THROTTLE_LIMIT'],
    ['SESSION_SECRET', 'SESSION_LIST'],
    ['THROTTLE_TTL', 'THROTTLE_TTL_MS'],
    ['STATE_STORE_URL', 'STATE_STORE'],
    ['SESSION_COOKIE', 'SESSION_COOKIES'],
    ['KEY_PASSFRASE', 'KEY_PASSPHRASE'],
    ['MANAGEMENT_PROT', 'MANAGEMENT_PORT'],
    ['SIGNER_Alg', 'SIGNER_ALG'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['DPOP_MODE', 'DPOP_NONCE'],
    ['CLIENTS_PATH', 'CLIENTS_FILE'],
    ['INTROSPECTION_ROLE', 'INTROSPECTION_ROLES'],
  ])('%s is named, with %s', (name, nearest) => {
    expect(unknownVariables({ [name]: 'x' })).toEqual([
      `${name} is no variable of Signet; the nearest name is ${nearest}`,
    ]);
  });

  it('stops the boot in production, beside all other problems', () => {
    const raw = { SIGNER_AGL: 'ES256', ADMIN_ROLE: 'a', PORT: 'x' };
    expect(() => readEnvironment({ ...raw, PORT: '1' })).not.toThrow();
    const production = {
      NODE_ENV: 'production',
      SIGNER_ISSUER: 'https://i',
      VALIDATOR_AUDIENCE: 'a',
      BACKEND_HOST: 'http://backend',
    };
    expect(() => readEnvironment({ ...raw, ...production })).toThrow(
      /^PORT must .*\nSIGNER_AGL is no variable .*\nADMIN_ROLE is no variable .*$/,
    );
  });

  it('shows no value and no control character', () => {
    expect(unknownVariables({ 'SIGNER_\u001b[31m\n': 'hunter2' }).join()).toMatch(
      /^SIGNER_\?\?31m\? is no variable of Signet/,
    );
    expect(unknownVariables({ KEY_PASSWORD: 'hunter2' }).join()).not.toContain('hunter2');
  });

  it('may be empty', () => {
    expect(unknownVariables({ SIGNER_AGL: '', ADMIN_ROLE: undefined })).toEqual([]);
  });
});

describe('what other software sets', () => {
  const AMONG: Readonly<Record<string, Record<string, string>>> = {
    'Kubernetes, for a service "backend"': {
      BACKEND_SERVICE_HOST: '10.3.0.7',
      BACKEND_SERVICE_PORT: '80',
      BACKEND_SERVICE_PORT_HTTP: '80',
      BACKEND_PORT: 'tcp://10.3.0.7:80',
      BACKEND_PORT_80_TCP: 'tcp://10.3.0.7:80',
      BACKEND_PORT_80_TCP_PROTO: 'tcp',
      BACKEND_PORT_80_TCP_PORT: '80',
      BACKEND_PORT_80_TCP_ADDR: '10.3.0.7',
      BACKEND_PORT_53_UDP: 'udp://10.3.0.7:53',
    },
    'Kubernetes, for services "session", "token-api" and "key-server"': {
      SESSION_SERVICE_HOST: 'fd00::7',
      TOKEN_API_PORT_8080_TCP: 'tcp://10.3.0.8:8080',
      TOKEN_API_SERVICE_PORT_HTTPS_ALT: '8443',
      KEY_SERVER_PORT: 'tcp://10.3.0.9:443',
    },
    'Docker, for a container link "backend"': {
      BACKEND_NAME: '/gateway/backend',
      BACKEND_PORT: 'tcp://172.17.0.5:8000',
      BACKEND_PORT_8000_TCP_ADDR: '172.17.0.5',
      BACKEND_ENV_NODE_VERSION: '26.1.0',
    },
    'a Linux desktop': {
      SESSION_MANAGER: 'local/host:@/tmp/.ICE-unix/1,unix/host:/tmp/.ICE-unix/1',
    },
    systemd: { STATE_DIRECTORY: '/var/lib/signet' },
    'GitHub Actions': { STATE_isPost: 'true', STATE_setup_path: '/x' },
    'names that only look alike': { SESSIONNAME: 'x', TOKEN: 'x', XKEY_A: 'x', state_store: 'x' },
  };

  it.each(Object.entries(AMONG))('%s', (_, raw) => {
    expect(unknownVariables(raw)).toEqual([]);
  });

  it('is not taken for a variable of ours that has the same name', () => {
    const { MANAGEMENT_PORT } = readEnvironment({ MANAGEMENT_PORT: 'tcp://10.3.0.7:80' });
    expect(MANAGEMENT_PORT).toBeUndefined();
    expect(() => readEnvironment({ PORT: 'tcp://10.3.0.7:80' })).toThrow(/^PORT must/);
  });

  it.each([
    // A variable counts as foreign only if its value has the form that the other software writes.
    { BACKEND_PORT: '8080' },
    { BACKEND_SERVICE_PORT: 'http' },
    { BACKEND_NAME: 'login' },
    { BACKEND_ENV_A: 'x' },
    { STATE_DIRECTORIES: '/x' },
  ])('but not %j', (raw) => {
    expect(unknownVariables(raw)).toHaveLength(1);
  });
});
