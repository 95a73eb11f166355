import type {
  Attachment,
  ConfigToMain,
  KeyMaterial,
  MainToConfig,
  PrepareFailure,
  ReloadState,
} from '../snapshot/messages.ts';
import type { Delta, Entry, KeyReference, MiddlewareSnapshot } from '../snapshot/model.ts';
import type { PackedEntries } from '../snapshot/packed-entries.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AttachmentStore } from './attachment-store.ts';
import { createBreather } from './breather.ts';
import type { Clock } from './clock.ts';
import type { Member } from './member.ts';
import { commitMember, distinct, invalid, prepareMember, sendChunk } from './member-phases.ts';
import { ServedState } from './served-state.ts';
import type { StateChange } from './served-state.ts';
import { Turns } from './turns.ts';

/** Key bytes by reference; the key service of the main thread. */
export interface KeyMaterials {
  /** Loads what is not loaded yet. Never rejects: what is not available comes with `error`. */
  load(references: readonly KeyReference[]): Promise<readonly KeyMaterial[]>;
  /** The references in use from now on; all others are forgotten. */
  retain(references: readonly KeyReference[]): void;
}

export interface PublisherOptions {
  /** Workers that are alive. */
  readonly members: () => readonly Member[];
  readonly limiters: AttachmentStore;
  readonly endpoints: AttachmentStore;
  readonly keys: KeyMaterials;
  /** Listeners whose port cannot be had, if workers could not find that out themselves. */
  readonly findBusyPorts: (
    staged: Iterable<Entry>,
    committed: Iterable<Entry>,
  ) => Promise<readonly PrepareFailure[]>;
  readonly clock: Clock;
  readonly log: Logger;
  /** To the config thread. */
  readonly reply: (message: MainToConfig) => void;
  /** After a commit; `changed` and `removed` relative to the generation before. */
  readonly committed: (change: CommittedChange) => void;
  /** A candidate was refused; `listeners`: entries that it would have added or changed. */
  readonly refused: (failures: readonly PrepareFailure[], listeners: readonly Entry[]) => void;
}

export interface CommittedChange extends StateChange {
  readonly generation: number;
  readonly sourceHash: string;
}

/** Entries in one message to a worker that catches up. */
const catchUpEntries = 200;

interface Candidate {
  readonly generation: number;
  /** Found by main; those of the workers come with their answers. */
  readonly failures: PrepareFailure[];
  /** References of the middlewares that the candidate adds or replaces, if they have or had any. */
  readonly keys: Map<string, readonly KeyReference[]>;
  /** Replaced once if all of them died. */
  members: readonly Member[];
}

/**
 * Carries candidates from the config thread to all workers in two phases: everything that can fail fails before the
 * commit (G4), and either every worker serves a generation or none does. A worker that dies on the way is no refusal:
 * the one started in its place gets what was committed.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #state = new ServedState();
  /** Held by the candidate on its way, or by a worker that catches up. */
  readonly #turns = new Turns();
  /** References of committed middlewares. */
  readonly #keys = new Map<string, readonly KeyReference[]>();
  #queue: Promise<void> = Promise.resolve();
  #candidate: Candidate | undefined;
  #giveBack: (() => void) | undefined;
  readonly #waitingForMembers: (() => void)[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** 0: nothing is served. */
  get generation(): number {
    return this.#state.generation;
  }

  /** Committed entries by key. */
  get entries(): PackedEntries {
    return this.#state.entries;
  }

  /** Committed listeners by key. */
  get listeners(): ReadonlyMap<string, Entry> {
    return this.#state.listeners;
  }

  /** Messages are handled one after the other. */
  handle(message: Extract<ConfigToMain, { readonly type: 'Chunk' | 'Publish' }>): void {
    void this.#enqueue(() =>
      message.type === 'Chunk' ? this.#takeChunk(message.delta) : this.#publish(message),
    );
  }

  /** The config thread died: what it had begun is forgotten, and what was being committed is, when this resolves. */
  reset(): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#candidate === undefined) return;
      this.#abort(this.#candidate);
    });
  }

  /** A worker was started. Brings it to what is served, unless nothing is. */
  async join(member: Member): Promise<void> {
    for (const resolve of this.#waitingForMembers.splice(0)) resolve();
    const giveBack = await this.#turns.take();
    try {
      await this.#catchUp(member);
    } finally {
      giveBack();
    }
  }

  async #takeChunk(delta: Delta): Promise<void> {
    const candidate = await this.#begin(delta.generation);
    try {
      const staged = this.#state.stage(delta);
      await sendChunk(candidate.members, staged, await this.#attach(candidate, staged));
    } catch (error) {
      candidate.failures.push(invalid('', error));
    }
    this.#options.reply({ type: 'ChunkTaken', generation: delta.generation });
  }

  async #publish({
    generation,
    base,
    parts,
    sourceHash,
  }: Extract<ConfigToMain, { readonly type: 'Publish' }>): Promise<void> {
    const candidate = await this.#begin(generation);
    let failures: readonly PrepareFailure[];
    let state: ReloadState | undefined;
    try {
      this.#state.propose(base, parts);
      failures = await this.#prepare(candidate);
      if (failures.length === 0) state = await this.#commit(candidate, sourceHash);
    } catch (error) {
      failures = [invalid('', error)];
    }
    if (failures.length > 0) {
      const listeners = this.#state.stagedListeners;
      this.#abort(candidate);
      this.#options.refused(failures, listeners);
    }
    this.#options.reply({ type: 'Published', generation, failures, ...(state !== undefined && { state }) });
  }

  /** The candidate on its way, or a new one as soon as it is its turn and a worker is there. */
  async #begin(generation: number): Promise<Candidate> {
    while (this.#candidate === undefined) {
      const giveBack = await this.#turns.take();
      const members = this.#options.members().filter(({ serving }) => serving || this.generation === 0);
      if (members.length > 0) {
        this.#giveBack = giveBack;
        this.#candidate = { generation, failures: [], keys: new Map(), members };
      } else {
        giveBack();
        await this.#someMember();
      }
    }
    return this.#candidate;
  }

  async #attach(candidate: Candidate, delta: Delta): Promise<readonly Attachment[]> {
    const { limiters, endpoints, clock } = this.#options;
    const breathe = createBreather(clock);
    const attachments: Attachment[] = [];
    for (const entry of delta.set) {
      await breathe();
      try {
        const attachment = limiters.stage(entry) ?? endpoints.stage(entry);
        if (attachment !== undefined) attachments.push(attachment);
        if (entry.key.startsWith('Middleware/')) {
          const { keys } = JSON.parse(entry.json) as MiddlewareSnapshot;
          if (keys.length > 0 || this.#keys.has(entry.key)) candidate.keys.set(entry.key, keys);
        }
      } catch (error) {
        candidate.failures.push(invalid(entry.key, error));
      }
    }
    this.#stageRemovals(delta.removed);
    return attachments;
  }

  #stageRemovals(keys: readonly string[]): void {
    for (const key of keys) {
      this.#options.limiters.stageRemoval(key);
      this.#options.endpoints.stageRemoval(key);
    }
  }

  async #prepare(candidate: Candidate): Promise<readonly PrepareFailure[]> {
    const { generation, failures } = candidate;
    if (generation <= this.generation) {
      return [invalid('', `generation ${generation} is not newer than ${this.generation}, which is served`)];
    }
    const removed = this.#state.stageLeftovers();
    this.#stageRemovals(removed);
    if (removed.length > 0) {
      await sendChunk(candidate.members, { generation, base: this.generation, set: [], removed }, []);
    }
    if (failures.length > 0) return failures;
    const busy = await this.#options.findBusyPorts(
      this.#state.stagedListeners,
      this.#state.listeners.values(),
    );
    if (busy.length > 0) return busy;
    const materials = await this.#options.keys.load([...candidate.keys.values()].flat());
    let answers = await this.#prepareAll(candidate, materials);
    if (answers === undefined) {
      await this.#replaceMembers(candidate);
      answers = await this.#prepareAll(candidate, materials);
    }
    // What kills every worker, and their successors too, must not be what all start with from now on.
    return answers ?? [invalid('', 'every worker died while it prepared this generation')];
  }

  /** undefined: all of them died. */
  async #prepareAll(
    { members, generation }: Candidate,
    materials: readonly KeyMaterial[],
  ): Promise<readonly PrepareFailure[] | undefined> {
    const answers = await Promise.all(
      members.map((member) => prepareMember(member, { generation, materials, clock: this.#options.clock })),
    );
    const given = answers.filter((answer) => answer !== undefined);
    return given.length === 0 ? undefined : distinct(given.flat());
  }

  /** Brings workers started in the meantime to where the dead ones were. */
  async #replaceMembers(candidate: Candidate): Promise<void> {
    while (this.#options.members().length === 0) await this.#someMember();
    const members = this.#options.members();
    for (const member of members) await this.#catchUp(member);
    candidate.members = members.filter(({ gone }) => !gone);
    const { generation } = candidate;
    const base = this.generation;
    const removed = [...this.#state.stagedRemovals];
    await sendChunk(candidate.members, { generation, base, set: [], removed }, []);
    for (const set of inParts(this.#state.staged())) {
      const delta = { generation, base, set, removed: [] };
      await sendChunk(candidate.members, delta, await this.#attach(candidate, delta));
    }
  }

  async #commit(candidate: Candidate, sourceHash: string): Promise<ReloadState> {
    const { generation } = candidate;
    const { limiters, endpoints, clock, log } = this.#options;
    const breathe = createBreather(clock);
    const tallies = { limiters: await limiters.commit(breathe), endpoints: await endpoints.commit(breathe) };
    await Promise.all(candidate.members.map((member) => commitMember(member, generation)));
    const change = await this.#state.commit(generation, breathe);
    const before = this.#keyIds();
    for (const key of change.removed) this.#keys.delete(key);
    for (const [key, references] of candidate.keys) {
      if (references.length > 0) this.#keys.set(key, references);
      else this.#keys.delete(key);
    }
    this.#options.keys.retain([...this.#keys.values()].flat());
    const after = this.#keyIds();
    const forget = [...before].filter((id) => !after.has(id));
    if (forget.length > 0)
      for (const member of candidate.members) member.send({ type: 'Keys', materials: [], forget });
    this.#forgetCandidate();
    log.info('configuration is served', {
      generation,
      sourceHash,
      changed: change.changed,
      removed: change.removed.length,
      ...tallies,
    });
    this.#options.committed({ ...change, generation, sourceHash });
    return tallies;
  }

  #keyIds(): ReadonlySet<string> {
    return new Set([...this.#keys.values()].flat().map(({ id }) => id));
  }

  async #catchUp(member: Member): Promise<void> {
    const generation = this.generation;
    if (generation === 0 || member.gone || member.serving) return;
    for (const set of inParts(this.#state.entries.values())) {
      const attachments = set.flatMap(
        ({ key }) => this.#options.limiters.attachment(key) ?? this.#options.endpoints.attachment(key) ?? [],
      );
      await sendChunk([member], { generation, base: 0, set, removed: [] }, attachments);
    }
    const materials = await this.#options.keys.load([...this.#keys.values()].flat());
    const failures = await this.#prepareWithout(member, generation, materials);
    if (failures === undefined) return;
    if (failures.length > 0) {
      this.#options.log.error('a new worker cannot serve', { worker: member.index, generation, failures });
      member.end('it cannot serve what the others serve');
      return;
    }
    await commitMember(member, generation);
  }

  /**
   * Prepares a worker that catches up. What could be had when it was committed may be gone by now (a module's file, a
   * port): the worker goes without it rather than not at all, and a route that loses a middleware answers 503.
   */
  async #prepareWithout(
    member: Member,
    generation: number,
    materials: readonly KeyMaterial[],
  ): Promise<readonly PrepareFailure[] | undefined> {
    const failures = await prepareMember(member, { generation, materials, clock: this.#options.clock });
    if (failures === undefined || failures.length === 0 || failures.some(({ key }) => key === ''))
      return failures;
    this.#options.log.error('a new worker serves without what cannot be had any more', {
      worker: member.index,
      generation,
      failures,
    });
    const removed = failures.map(({ key }) => key);
    await sendChunk([member], { generation, base: 0, set: [], removed }, []);
    return prepareMember(member, { generation, materials: [], clock: this.#options.clock });
  }

  #abort({ members, generation }: Candidate): void {
    for (const member of members) member.send({ type: 'Abort', generation });
    this.#forgetCandidate();
  }

  #forgetCandidate(): void {
    this.#state.abort();
    this.#options.limiters.abort();
    this.#options.endpoints.abort();
    this.#candidate = undefined;
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  #someMember(): Promise<void> {
    return new Promise((resolve) => this.#waitingForMembers.push(resolve));
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(step).catch((error: unknown) => {
      this.#options.log.error('publishing failed', { error: error instanceof Error ? error.stack : error });
    });
    return this.#queue;
  }
}

function* inParts(entries: Iterable<Entry>): Generator<Entry[]> {
  let part: Entry[] = [];
  for (const entry of entries) {
    part.push(entry);
    if (part.length < catchUpEntries) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
