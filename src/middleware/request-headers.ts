import type { HeaderList } from '../routing/header-list.ts';
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

  request({ requestHeaders: headers }: Exchange): undefined {
    this.editor.stripLookalikes(headers);
    this.editor.apply(headers);
    return undefined;
  }

  requestTrailers(trailers: HeaderList): void {
    this.editor.strip(trailers);
  }

  decide(exchange: Exchange): Decision {
    this.request(exchange);
    return { outcome: 'continue', notes: this.editor.describe() };
  }
}
