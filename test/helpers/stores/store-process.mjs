// A process beside the gateway that works on a state store; see state-processes.e2e-spec.ts.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openStore } from '../../../dist/state/index.js';

const [, , url, command, argument] = process.argv;
const store = await openStore(url);
const expiresAt = Math.floor(Date.now() / 1000) + 3600;
process.stdout.write('ready\n');
await once(process.stdin, 'data');

if (command === 'consume') {
  const use = { id: argument, expiresAt, subject: { names: [] } };
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.consume(use)));
  process.stdout.write(`${outcomes.map(({ state }) => state).join(' ')}\n`);
  await store.close();
  process.exit(0);
}

// Writes for as long as it lives, and says what was confirmed.
const write = async () => {
  for (;;) {
    const id = randomUUID();
    await store.addRevocation({
      id,
      kind: 'jti',
      value: id,
      before: null,
      createdAt: expiresAt - 3600,
      expiresAt,
    });
    process.stdout.write(`${id}\n`);
  }
};
await Promise.all(Array.from({ length: Number(argument) }, write));
