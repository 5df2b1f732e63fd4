import type { INestApplicationContext } from '@nestjs/common';
import { ClientRegistry } from '../clients/index.js';
import type { Environment } from '../environment/index.js';
import { JwkKeyStore } from '../jwks/index.js';

/** Makes the gateway read the key sets, also remote ones, and the clients file again. The log has the result. */
export function reloadFiles(app: INestApplicationContext, { CLIENTS_FILE }: Environment): void {
  app.get(JwkKeyStore).reload();
  if (CLIENTS_FILE !== undefined) app.get(ClientRegistry, { strict: false }).reload();
}
