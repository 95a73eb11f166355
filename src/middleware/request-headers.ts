import type { Decision, Exchange, Middleware, MiddlewareDefinition } from './contract.ts';
import { checkHeaderEdits, HeaderEditor } from './header-edits.ts';
import type { HeaderEdits } from './header-edits.ts';

/** A request without Host is no request; `set` is how an upstream gets another one. */
const onlySet = new Set(['host']);

/** `requestHeaders`: removes, renames, sets and adds fields of the request before it is forwarded, in this order. */
export const requestHeaders: MiddlewareDefinition<HeaderEdits> = {
  type: 'requestHeaders',
  check: (config) => checkHeaderEdits(config, onlySet),
  create: (config) => new RequestHeaders(config),
};

class RequestHeaders implements Middleware {
  private readonly editor: HeaderEditor;

  constructor(edits: HeaderEdits) {
    this.editor = new HeaderEditor(edits);
  }

  request(exchange: Exchange): undefined {
    this.editor.apply(exchange.requestHeaders);
    return undefined;
  }

  decide(exchange: Exchange): Decision {
    this.editor.apply(exchange.requestHeaders);
    return { outcome: 'continue', notes: this.editor.describe() };
  }
}
