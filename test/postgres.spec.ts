import { afterAll, beforeAll, describe } from 'vitest';
import { openStore } from '../src/state/index.js';
import { startPostgres, withoutPostgres, type PostgresServer } from './helpers/postgres.js';
import { describeSharedStore, describeStore } from './helpers/store-contract.js';

describe.skipIf(withoutPostgres)('a PostgreSQL server', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  describeStore('PostgreSQL', () => openStore(postgres.url));
  describeSharedStore('PostgreSQL', () => openStore(postgres.url));
});
