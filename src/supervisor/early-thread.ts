import { startThread } from './thread.ts';
import type { Thread, ThreadEvents, ThreadStart } from './thread.ts';

/** A thread that was started before anybody could listen to it: what it says is kept until it is claimed. */
export interface EarlyThread<Out, In> {
  /** To be called once. */
  claim(events: ThreadEvents<In>): Thread<Out>;
}

/** Threads load their code on other cores while main loads its own: that is half of the time to a ready gateway. */
export function startEarlyThread<Out, In>(start: ThreadStart): EarlyThread<Out, In> {
  const missed: ((events: ThreadEvents<In>) => void)[] = [];
  let owner: ThreadEvents<In> | undefined;
  const tell = (event: (events: ThreadEvents<In>) => void): void => {
    if (owner === undefined) missed.push(event);
    else event(owner);
  };
  const thread = startThread<Out, In>(start, {
    message: (message) => tell((events) => events.message(message)),
    exit: (code, error) => tell((events) => events.exit(code, error)),
  });
  return {
    claim(events) {
      // In a later turn: whoever claims has not finished building what the events arrive at.
      setImmediate(() => {
        owner = events;
        for (const event of missed.splice(0)) event(events);
      });
      return thread;
    },
  };
}
