import type {
  ConfigProblem,
  LocalReply,
  Middleware,
  MiddlewareDefinition,
  ModuleMiddleware,
  ModuleReply,
} from '../contract.ts';
import { checkRequest, checkResponse, completeReply } from './check-exchange.ts';
import { loadModule } from './load-module.ts';

/** The `module` block as validated by schemas/middlewares/module.json. */
export interface ModuleConfig {
  /** Below the modules directory. */
  readonly path: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** `module`: a user's own ES module. What it does cannot be told without running it, so a dry run never does. */
export const userModule: MiddlewareDefinition<ModuleConfig> = {
  type: 'module',
  guards: true,
  check,
  files: ({ path }) => [path],
  async create({ path, options = {} }, { modulesDir, name, now }) {
    const factory = await loadModule(modulesDir, path);
    const made: unknown = await factory(structuredClone(options), { name, now });
    return adapt(checkMade(made, path), { path });
  },
  dry: decideDry,
};

function decideDry({ path }: ModuleConfig): Middleware['decide'] {
  const notes = [`is decided by the module ${path}, which a dry run does not start`];
  return () => ({ outcome: 'unknown', notes });
}

function check({ path }: ModuleConfig): readonly ConfigProblem[] {
  if (!path.split(/[/\\]/).includes('..')) return [];
  return [{ path: 'path', message: `${path} leads out of the modules directory` }];
}

function checkMade(made: unknown, path: string): ModuleMiddleware {
  if (typeof made !== 'object' || made === null) throw new Error(`${path} made no middleware`);
  const hooks = made as Readonly<Record<string, unknown>>;
  for (const name of ['request', 'response', 'close']) {
    if (hooks[name] !== undefined && typeof hooks[name] !== 'function')
      throw new Error(`${path}: ${name} is not a function`);
  }
  if (hooks['request'] === undefined && hooks['response'] === undefined) {
    throw new Error(`${path} made a middleware with neither a request nor a response hook`);
  }
  return made;
}

/** Called as methods, so that a module may make an object of a class. */
function adapt(made: ModuleMiddleware, config: ModuleConfig): Middleware {
  return {
    ...(made.request !== undefined && {
      request(exchange) {
        const passed = (reply: ModuleReply | undefined | void): LocalReply | undefined => {
          if (reply !== undefined) return completeReply(reply);
          checkRequest(exchange);
          return undefined;
        };
        const result = made.request?.(exchange);
        return isThenable(result) ? Promise.resolve(result).then(passed) : passed(result);
      },
      // Nobody knows which fields the module decides about.
      requestTrailers({ raw }) {
        raw.length = 0;
      },
    }),
    ...(made.response !== undefined && {
      response(exchange, head) {
        const { status } = head;
        const result = made.response?.(exchange, head);
        if (isThenable(result)) return Promise.resolve(result).then(() => checkResponse(head, status));
        checkResponse(head, status);
        return undefined;
      },
    }),
    ...(made.close !== undefined && { close: () => made.close?.() }),
    decide: decideDry(config),
  };
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
