import type { HttpAdapterHost } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { MetadataController } from './metadata.controller.js';

const OPTIONS = {
  issuer: 'https://issuer.example',
  refresh: false,
  introspection: false,
  basicAuth: false,
  docs: false,
};

/** The token endpoint that a gateway on this port tells. */
function tokenEndpoint(port: number, publicUrl?: string): unknown {
  const server = { address: () => ({ port }) };
  const host = { httpAdapter: { getHttpServer: () => server } } as unknown as HttpAdapterHost;
  const controller = new MetadataController({ ...OPTIONS, publicUrl }, host);
  const metadata = controller.authorizationServer();
  expect(controller.authorizationServer()).toBe(metadata);
  return (metadata as { token_endpoint: unknown }).token_endpoint;
}

describe('MetadataController', () => {
  it.each(['https://gw.example', 'https://gw.example/'])('goes by the public URL %s', (url) => {
    expect(tokenEndpoint(8080, url)).toBe('https://gw.example/token');
  });

  it('keeps the path of the public URL', () => {
    expect(tokenEndpoint(8080, 'https://gw.example/auth/')).toBe('https://gw.example/auth/token');
  });

  it('goes by the port that is listened on where there is no public URL', () => {
    expect(tokenEndpoint(43210)).toBe('http://localhost:43210/token');
  });
});
