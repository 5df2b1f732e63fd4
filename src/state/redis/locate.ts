import { SCHEMA_KEY } from './keys.js';
import { askOnce, reasonOf } from './redis-session.js';
import type { Host, RedisTarget } from './redis-url.js';
import { movedTo } from './replies.js';

/** Longest wait for one server to say where the primary is, in milliseconds; a silent one delays the search. */
const ASK_MS = 1000;

/**
 * Finds the server that takes writes. All Sentinels, or all nodes of a cluster, are asked, and the server that most
 * of them name is used: one that was cut off from the others may still name the former primary.
 *
 * @throws Error when no server names the primary
 */
export async function locate(target: RedisTarget): Promise<Host> {
  const { kind, hosts } = target;
  if (kind === 'server') return hosts[0] as Host;
  const ask = kind === 'sentinel' ? askSentinel : askNode;
  const answers = await Promise.allSettled(hosts.map((host) => ask(target, host)));
  const named = new Map<string, { host: Host; votes: number }>();
  for (const answer of answers) {
    if (answer.status === 'rejected') continue;
    const name = `${answer.value.host} ${answer.value.port}`;
    named.set(name, { host: answer.value, votes: (named.get(name)?.votes ?? 0) + 1 });
  }
  const [first] = [...named.values()].toSorted((one, other) => other.votes - one.votes);
  if (first !== undefined) return first.host;
  const reasons = answers.flatMap((answer, index) =>
    answer.status === 'rejected'
      ? [`${hosts[index]?.host}:${hosts[index]?.port} ${reasonOf(answer.reason)}`]
      : [],
  );
  throw new Error(`where the primary is, is not known: ${reasons.join('; ')}`);
}

async function askSentinel(target: RedisTarget, host: Host): Promise<Host> {
  const { service, sentinelCredentials } = target;
  const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', service];
  const address = await askOnce(target, host, sentinelCredentials, command, ASK_MS);
  const [name, port] = Array.isArray(address) ? (address as unknown[]).map(String) : [];
  if (name === undefined || port === undefined) throw new Error(`knows no primary '${service}'`);
  return { host: name, port: Number(port) };
}

/** Asks a node of a cluster. A node that does not hold the keys names the one that does. */
async function askNode(target: RedisTarget, host: Host): Promise<Host> {
  try {
    await askOnce(target, host, target.credentials, ['GET', SCHEMA_KEY], ASK_MS);
    return host;
  } catch (error) {
    const moved = error instanceof Error ? movedTo(error.message) : undefined;
    if (moved === undefined) throw error;
    return moved.host === '' ? { host: host.host, port: moved.port } : moved;
  }
}
