import type { Attachment, StateTally } from '../snapshot/messages.ts';
import type { Entry } from '../snapshot/model.ts';

/**
 * Shared memory that belongs to entries and outlives generations (G6). Staging touches nothing that is being served:
 * what changes, changes at `commit`, after every worker has prepared (G4).
 */
export interface AttachmentStore {
  /** Memory for an entry of the candidate; undefined: it needs none. */
  stage(entry: Entry): Attachment | undefined;
  stageRemoval(key: string): void;
  /** `breathe` is awaited between steps that may take long together. */
  commit(breathe: () => Promise<void> | undefined): Promise<StateTally>;
  abort(): void;
  /** Of the committed entry, for a worker that starts later. */
  attachment(key: string): Attachment | undefined;
}
