import type { INestApplicationContext } from '@nestjs/common';
import { ClientRegistry } from '../clients/index.js';
import type { Environment } from '../environment/index.js';
import { JwkKeyStore } from '../jwks/index.js';

/** Looks at the key sets, remote ones too, and the file of clients again. What became of it is in the log. */
export function reloadFiles(app: INestApplicationContext, { CLIENTS_FILE }: Environment): void {
  app.get(JwkKeyStore).reload();
  if (CLIENTS_FILE !== undefined) app.get(ClientRegistry, { strict: false }).reload();
}
