/** The middlewares of one route as one function each way; everything that can be decided is decided when it is built. */
import type { Exchange, LocalReply, Middleware, ResponseHead } from './contract.ts';

export interface PipelineInstance {
  /** Metric label of the middleware. */
  readonly name: string;
  readonly middleware: Middleware;
}

/** A middleware has answered. */
export interface PipelineReply {
  readonly reply: LocalReply;
  /** Name of the middleware that answers. */
  readonly by: string;
  /** Its place; give it to `response` together with the head that is made of the reply. */
  readonly index: number;
}

/** A hook threw: told to whoever logs; the client sees nothing of it (G10). */
export type HookFailure = (failure: {
  readonly name: string;
  readonly phase: 'request' | 'response' | 'close';
  readonly error: unknown;
}) => void;

export interface Pipeline {
  /** Number of middlewares: `fromIndex` of an exchange that went through all of them. */
  readonly length: number;
  /** Request hooks in written order; a promise only where a hook returned one. Never throws or rejects. */
  request(exchange: Exchange): PipelineReply | undefined | Promise<PipelineReply | undefined>;
  /**
   * Response hooks of the middlewares before `fromIndex`, in reverse order: those whose request phase let the exchange
   * pass. The middleware that answered does not see its own answer: it could have made it differently at once.
   * Never throws or rejects: if a hook throws, what it should have changed must not go out as it is, so the result is
   * the 500 to send instead; make a head of it and call again with its index.
   */
  response(
    exchange: Exchange,
    head: ResponseHead,
    fromIndex: number,
  ): PipelineReply | undefined | Promise<PipelineReply | undefined>;
}

const failedReply: LocalReply = {
  status: 500,
  code: 'ERR_MIDDLEWARE_FAILED',
  detail: 'The request could not be processed.',
  reason: 'failed',
};

export function composePipeline(instances: readonly PipelineInstance[], failed: HookFailure): Pipeline {
  const requestIndexes = indexesOf(instances, 'request');
  const responseIndexes = indexesOf(instances, 'response');
  const middlewares = instances.map(({ middleware }) => middleware);
  const names = instances.map(({ name }) => name);

  const fail = (index: number, phase: 'request' | 'response', error: unknown): PipelineReply => {
    const name = names[index] as string;
    failed({ name, phase, error });
    return { reply: failedReply, by: name, index };
  };

  /** Runs the hooks from the `from`th on. */
  function runRequest(exchange: Exchange, from: number): ReturnType<Pipeline['request']> {
    for (let i = from; i < requestIndexes.length; i++) {
      const index = requestIndexes[i] as number;
      try {
        const result = (middlewares[index] as WithRequest).request(exchange);
        if (result === undefined) continue;
        if (isPromise(result)) return waitForRequest(exchange, i, result);
        return { reply: result, by: names[index] as string, index };
      } catch (error) {
        return fail(index, 'request', error);
      }
    }
    return undefined;
  }

  async function waitForRequest(
    exchange: Exchange,
    i: number,
    waiting: Promise<LocalReply | undefined>,
  ): Promise<PipelineReply | undefined> {
    const index = requestIndexes[i] as number;
    try {
      const reply = await waiting;
      if (reply !== undefined) return { reply, by: names[index] as string, index };
    } catch (error) {
      return fail(index, 'request', error);
    }
    return runRequest(exchange, i + 1);
  }

  /** Runs the hooks from the `from`th down. */
  function runResponse(
    exchange: Exchange,
    head: ResponseHead,
    from: number,
  ): ReturnType<Pipeline['response']> {
    for (let i = from; i >= 0; i--) {
      const index = responseIndexes[i] as number;
      try {
        const result = (middlewares[index] as WithResponse).response(exchange, head);
        if (result !== undefined) return waitForResponse(exchange, head, i, result);
      } catch (error) {
        return fail(index, 'response', error);
      }
    }
    return undefined;
  }

  async function waitForResponse(
    exchange: Exchange,
    head: ResponseHead,
    i: number,
    waiting: Promise<void>,
  ): Promise<PipelineReply | undefined> {
    try {
      await waiting;
    } catch (error) {
      return fail(responseIndexes[i] as number, 'response', error);
    }
    return runResponse(exchange, head, i - 1);
  }

  return {
    length: instances.length,
    request: (exchange) => runRequest(exchange, 0),
    response(exchange, head, fromIndex) {
      let last = responseIndexes.length - 1;
      while (last >= 0 && (responseIndexes[last] as number) >= fromIndex) last--;
      return runResponse(exchange, head, last);
    },
  };
}

type WithRequest = Required<Pick<Middleware, 'request'>>;
type WithResponse = Required<Pick<Middleware, 'response'>>;

function indexesOf(instances: readonly PipelineInstance[], hook: 'request' | 'response'): readonly number[] {
  return instances.flatMap(({ middleware }, index) => (middleware[hook] === undefined ? [] : [index]));
}

function isPromise(
  result: LocalReply | Promise<LocalReply | undefined>,
): result is Promise<LocalReply | undefined> {
  return typeof (result as { readonly then?: unknown }).then === 'function';
}
