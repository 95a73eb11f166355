import type { ConfigToMain, Survived } from '../../snapshot/messages.ts';
import type { PackedEntries } from '../../snapshot/packed-entries.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Clock } from '../clock.ts';
import type { History } from '../history/history.ts';
import type { Pinning } from '../history/pinning.ts';
import type { Parser } from '../parse/parser.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { KeyVersions } from '../source/key-versions.ts';
import type { Source } from '../source/source.ts';
import type { LastGood } from '../state/last-good.ts';
import type { StateTrouble } from '../state/state-trouble.ts';
import type { ProblemLog } from '../status/problem-log.ts';
import type { FindMiddleware } from '../translate/middleware.ts';

/** What a reconciler is given to work with. */
export interface ReconcilerOptions {
  readonly source: Source;
  readonly parser: Parser;
  readonly keys: KeyVersions;
  readonly find: FindMiddleware;
  readonly publisher: Publisher;
  readonly history: History;
  readonly pinning: Pinning;
  readonly problemLog: ProblemLog;
  /** Where accepted documents outlive this thread, and the process too if there is a state directory. */
  readonly lastGood: LastGood;
  readonly stateTrouble: StateTrouble;
  readonly log: Logger;
  readonly clock: Clock;
  readonly send: (message: ConfigToMain) => void;
  /** Any problem refuses the whole generation. */
  readonly strict: boolean;
  /** Served before this thread was started again; 0: the first start. */
  readonly servedGeneration: number;
  /** What is served then, where that is known. */
  readonly survived?: Pick<Survived, 'servedHash'> & { readonly entries: PackedEntries };
}
