/** The middlewares of one route as one function each way; everything that can be decided is decided when it is built. */
import type { HeaderList } from '../routing/header-list.ts';
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
  /** As in Middleware, of all of them. */
  requestTrailers(trailers: HeaderList): void;
  responseExtras(fields: HeaderList): void;
}

const failedReply: LocalReply = {
  status: 500,
  code: 'ERR_MIDDLEWARE_FAILED',
  detail: 'The request could not be processed.',
  reason: 'failed',
};

export function composePipeline(instances: readonly PipelineInstance[], failed: HookFailure): Pipeline {
  return new ComposedPipeline(instances, failed);
}

/** Thousands of routes have one each: no closures, and lists that say the same are shared. */
class ComposedPipeline implements Pipeline {
  private readonly instances: readonly PipelineInstance[];
  private readonly failed: HookFailure;
  /** Places of the middlewares that have the hook. */
  private readonly requests: readonly number[];
  private readonly responses: readonly number[];

  constructor(instances: readonly PipelineInstance[], failed: HookFailure) {
    // A list that was filled one by one has room for more; its copy has none.
    this.instances = instances.slice();
    this.failed = failed;
    this.requests = indexesOf(instances, 'request');
    this.responses = indexesOf(instances, 'response');
  }

  get length(): number {
    return this.instances.length;
  }

  request(exchange: Exchange): ReturnType<Pipeline['request']> {
    return this.runRequest(exchange, 0);
  }

  response(exchange: Exchange, head: ResponseHead, fromIndex: number): ReturnType<Pipeline['response']> {
    let last = this.responses.length - 1;
    while (last >= 0 && (this.responses[last] as number) >= fromIndex) last--;
    return this.runResponse(exchange, head, last);
  }

  requestTrailers(trailers: HeaderList): void {
    for (const { middleware } of this.instances) middleware.requestTrailers?.(trailers);
  }

  responseExtras(fields: HeaderList): void {
    for (const { middleware } of this.instances) middleware.responseExtras?.(fields);
  }

  /** Runs the hooks from the `from`th on. */
  private runRequest(exchange: Exchange, from: number): ReturnType<Pipeline['request']> {
    const { requests } = this;
    for (let i = from; i < requests.length; i++) {
      const index = requests[i] as number;
      try {
        const result = (this.middleware(index) as WithRequest).request(exchange);
        if (result === undefined) continue;
        if (isPromise(result)) return this.waitForRequest(exchange, i, result);
        return { reply: result, by: this.name(index), index };
      } catch (error) {
        return this.fail(index, 'request', error);
      }
    }
    return undefined;
  }

  private async waitForRequest(
    exchange: Exchange,
    i: number,
    waiting: Promise<LocalReply | undefined>,
  ): Promise<PipelineReply | undefined> {
    const index = this.requests[i] as number;
    try {
      const reply = await waiting;
      if (reply !== undefined) return { reply, by: this.name(index), index };
    } catch (error) {
      return this.fail(index, 'request', error);
    }
    return this.runRequest(exchange, i + 1);
  }

  /** Runs the hooks from the `from`th down. */
  private runResponse(
    exchange: Exchange,
    head: ResponseHead,
    from: number,
  ): ReturnType<Pipeline['response']> {
    for (let i = from; i >= 0; i--) {
      const index = this.responses[i] as number;
      try {
        const result = (this.middleware(index) as WithResponse).response(exchange, head);
        if (result !== undefined) return this.waitForResponse(exchange, head, i, result);
      } catch (error) {
        return this.fail(index, 'response', error);
      }
    }
    return undefined;
  }

  private async waitForResponse(
    exchange: Exchange,
    head: ResponseHead,
    i: number,
    waiting: Promise<void>,
  ): Promise<PipelineReply | undefined> {
    try {
      await waiting;
    } catch (error) {
      return this.fail(this.responses[i] as number, 'response', error);
    }
    return this.runResponse(exchange, head, i - 1);
  }

  private fail(index: number, phase: 'request' | 'response', error: unknown): PipelineReply {
    const name = this.name(index);
    this.failed({ name, phase, error });
    return { reply: failedReply, by: name, index };
  }

  private middleware(index: number): Middleware {
    return (this.instances[index] as PipelineInstance).middleware;
  }

  private name(index: number): string {
    return (this.instances[index] as PipelineInstance).name;
  }
}

type WithRequest = Required<Pick<Middleware, 'request'>>;
type WithResponse = Required<Pick<Middleware, 'response'>>;

/** Of the first, of the first two, …: what most pipelines say. */
const firstPlaces: readonly (readonly number[])[] = Array.from({ length: 8 }, (_, length) =>
  Array.from({ length }, (_none, index) => index),
);

function indexesOf(instances: readonly PipelineInstance[], hook: 'request' | 'response'): readonly number[] {
  const indexes = instances.flatMap(({ middleware }, index) =>
    middleware[hook] === undefined ? [] : [index],
  );
  const first = firstPlaces[indexes.length];
  return first?.every((place, i) => place === indexes[i]) === true ? first : indexes;
}

function isPromise(
  result: LocalReply | Promise<LocalReply | undefined>,
): result is Promise<LocalReply | undefined> {
  return typeof (result as { readonly then?: unknown }).then === 'function';
}
