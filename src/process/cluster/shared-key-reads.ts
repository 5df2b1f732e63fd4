import { KeyError, type KeyDocument, type SharedRead } from '../../jwks/index.js';
import type { KeyAnswer, ToPrimary } from './messages.js';

/**
 * Longest wait for an answer, in milliseconds; then the worker reads the set itself. A worker that reads for others
 * answers sooner, or is replaced.
 */
const PATIENCE_MS = 10_000;

/** The worker's side of shared reads of key sets. The primary's side is `KeyReads`. */
export class SharedKeyReads {
  private readonly waiting = new Map<number, (answer: KeyAnswer | undefined) => void>();
  private asked = 0;

  /** @param tell sends a message to the primary */
  constructor(private readonly tell: (message: ToPrimary) => void) {}

  /** Takes an answer of the primary. @param answer `undefined`: this worker has to read the set */
  answered(id: number, answer: KeyAnswer | undefined): void {
    this.waiting.get(id)?.(answer);
  }

  readonly read: SharedRead = async (source, fresh, read) => {
    const id = this.asked++;
    const answer = await new Promise<KeyAnswer | undefined>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS, undefined);
      this.waiting.set(id, (told) => {
        clearTimeout(timer);
        resolve(told);
      });
      this.tell({ signet: 'read-keys', id, source, fresh });
    });
    this.waiting.delete(id);
    if (answer === undefined) return this.readHere(source, read);
    if ('problem' in answer) throw new KeyError(answer.problem);
    return answer.document;
  };

  private async readHere(source: string, read: () => Promise<KeyDocument>): Promise<KeyDocument> {
    try {
      const document = await read();
      this.tell({ signet: 'keys-read', source, answer: { document } });
      return document;
    } catch (error) {
      const problem = error instanceof KeyError ? error.message : 'cannot be read';
      this.tell({ signet: 'keys-read', source, answer: { problem } });
      throw error;
    }
  }
}
