import type { CommandResult, ConfigToMain, MainToConfig } from '../snapshot/messages.ts';
import type { Logger } from '../telemetry/log.ts';
import { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { PendingAnswers } from './pending-answers.ts';
import type { Thread, ThreadEvents } from './thread.ts';

export interface ConfigLinkOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly startThread: (events: ThreadEvents<ConfigToMain>) => Thread<MainToConfig>;
  /** Everything but answers to queries. */
  readonly message: (message: Exclude<ConfigToMain, { readonly type: 'Answer' }>) => void;
  /** The thread died; another is started once what it had begun is over. Never rejects. */
  readonly died: () => Promise<void>;
}

const queryTimeoutMs = 10_000;
/** A whole configuration may have to be published. */
const commandTimeoutMs = 60_000;
/** For writing what outlives the program. */
const stopGraceMs = 2000;

/** The config thread: traffic does not depend on it, so that when it dies it is started again and nothing else ends. */
export class ConfigLink {
  readonly #options: ConfigLinkOptions;
  readonly #backoff = new Backoff({ firstMs: 100, maxMs: 10_000, stableMs: 30_000 });
  readonly #answers: PendingAnswers;
  #thread: Thread<MainToConfig> | undefined;
  #startedAt = 0;
  #stopping = false;
  #cancelRestart: (() => void) | undefined;
  #gone: Promise<void> | undefined;
  #tellGone: () => void = () => undefined;

  constructor(options: ConfigLinkOptions) {
    this.#options = options;
    this.#answers = new PendingAnswers(options.clock, 'the config thread');
  }

  start(): void {
    this.#startedAt = this.#options.clock.now();
    this.#thread = this.#options.startThread({
      message: (message) => {
        if (message.type === 'Answer') this.#answers.answer(message);
        else if (!this.#stopping || !isPublishing(message)) this.#options.message(message);
      },
      exit: (code, error) => this.#left(code, error),
    });
  }

  post(message: MainToConfig): void {
    this.#thread?.post(message);
  }

  /** Asks the thread about itself; rejects if it cannot tell, dies or takes longer than 10 s. */
  query(name: string, args: unknown): Promise<unknown> {
    return this.#ask((id) => ({ type: 'Query', id, name, args }), queryTimeoutMs);
  }

  /** Has the thread do something, within a minute. */
  async command(name: 'rollback' | 'resume', args: unknown): Promise<CommandResult> {
    return (await this.#ask(
      (id) => ({ type: 'Command', id, name, args }),
      commandTimeoutMs,
    )) as CommandResult;
  }

  #ask(message: (id: number) => MainToConfig, timeoutMs: number): Promise<unknown> {
    const thread = this.#thread;
    if (thread === undefined) return Promise.reject(new Error('the config thread is not running'));
    return this.#answers.ask((id) => thread.post(message(id)), timeoutMs);
  }

  /** Ends it; nothing it publishes is wanted any more. Resolves when it has written what it keeps, or has had 2 s for it. */
  stop(): Promise<void> {
    this.#gone ??= this.#end();
    return this.#gone;
  }

  async #end(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart?.();
    const thread = this.#thread;
    if (thread === undefined) return;
    const gone = new Promise<void>((resolve) => (this.#tellGone = resolve));
    thread.post({ type: 'Stop' });
    const cancel = this.#options.clock.after(stopGraceMs, () => thread.terminate());
    await gone;
    cancel();
  }

  #left(code: number, error: Error | undefined): void {
    this.#thread = undefined;
    this.#answers.rejectAll();
    this.#tellGone();
    if (this.#stopping) return;
    const { clock, log } = this.#options;
    const delayMs = this.#backoff.next(clock.now() - this.#startedAt);
    log.error('config thread died, starting another; traffic goes on', {
      reason: error?.stack ?? `exit code ${code}`,
      delayMs,
    });
    const over = this.#options.died();
    this.#cancelRestart = clock.after(delayMs, () => {
      void over.then(() => {
        if (!this.#stopping) this.start();
      });
    });
  }
}

function isPublishing({ type }: ConfigToMain): boolean {
  return type === 'Chunk' || type === 'Publish';
}
