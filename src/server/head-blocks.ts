import type { ServerResponse } from 'node:http';

type Headers = Record<string, readonly [name: string, value: unknown]>;
type StoreHeader = (this: ServerResponse, firstLine: string, headers: unknown) => void;
type WithHeaders = ServerResponse & { [key: symbol]: unknown };

/** Headers that were the same in an answer, in their order, and the text of a head that begins with them. */
interface Block {
  readonly firstLine: string;
  readonly headers: readonly (readonly [key: string, name: string, value: string])[];
  readonly text: string;
}

/** Node does something about them: they say how the answer ends, or are written in another way. */
const SPECIAL = new Set([
  'connection',
  'content-disposition',
  'content-length',
  'date',
  'expect',
  'keep-alive',
  'trailer',
  'transfer-encoding',
]);
/** Of one status. What is set varies little: by the origin that asks, by the type of the answer. */
const MAX_BLOCKS = 8;
const MAX_STATUSES = 64;

/**
 * Writes the headers that are the same in most answers as one text: Node joins name, colon and value of each, for each
 * answer, and V8 puts the pieces together when they are written: -5 % CPU of a 401 (bench/README.md, 2026-11-28).
 * Node itself adds all others, `Date` and `Connection`.
 *
 * @param prototype of responses, whose `_storeHeader` Node calls for each head
 * @param symbol where Node keeps the headers of a response
 * @param isKnown whether a header is one that is set often
 */
export function joinHeads(
  prototype: ServerResponse,
  symbol: symbol,
  isKnown: (name: string, value: string) => boolean,
): void {
  const inherited = Reflect.get(prototype, '_storeHeader') as StoreHeader | undefined;
  if (typeof inherited !== 'function') return;
  const blocks = new Map<number, Block[]>();

  const blocksOf = (status: number): Block[] => {
    let list = blocks.get(status);
    if (list === undefined) {
      list = [];
      if (blocks.size < MAX_STATUSES) blocks.set(status, list);
    }
    return list;
  };

  const store: StoreHeader = function (firstLine, given) {
    const isOwn = given !== null && given === (this as WithHeaders)[symbol];
    if (!isOwn) return inherited.call(this, firstLine, given);
    const headers = given as Headers;
    const list = blocksOf(this.statusCode);
    for (const block of list) {
      const rest = block.firstLine === firstLine ? others(headers, block) : undefined;
      if (rest !== undefined) return inherited.call(this, block.text, rest);
    }
    if (list.length < MAX_BLOCKS) list.push(blockOf(firstLine, headers, isKnown));
    return inherited.call(this, firstLine, given);
  };
  Reflect.set(prototype, '_storeHeader', store);
}

/** The headers that are not in the block, for Node; `undefined` where one of the block's is not among them. */
function others(headers: Headers, { headers: same }: Block): unknown[] | undefined {
  const rest: unknown[] = [];
  let index = 0;
  for (const key in headers) {
    const [name, value] = headers[key] as Headers[string];
    const next = same[index];
    if (next !== undefined && key === next[0] && value === next[2] && name === next[1]) index++;
    // Node writes a list in other ways, depending on how it gets it.
    else if (typeof value !== 'string' && typeof value !== 'number') return undefined;
    else if (key === 'content-disposition') return undefined;
    else rest.push(name, value);
  }
  return index === same.length ? rest : undefined;
}

function blockOf(
  firstLine: string,
  headers: Headers,
  isKnown: (name: string, value: string) => boolean,
): Block {
  const same = Object.entries(headers).flatMap(([key, [name, value]]) =>
    typeof value === 'string' && !SPECIAL.has(key) && isKnown(name, value)
      ? [[key, name, value] as const]
      : [],
  );
  const lines = same.map(([, name, value]) => `${name}: ${value}\r\n`);
  // By way of a buffer it is one piece for V8, and not a tree of them.
  const text = Buffer.from(firstLine + lines.join(''), 'latin1').toString('latin1');
  return { firstLine, headers: same, text };
}
