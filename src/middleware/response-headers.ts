import type { HeaderList } from '../routing/header-list.ts';
import type { Decision, Exchange, Middleware, MiddlewareDefinition, ResponseHead } from './contract.ts';
import { checkHeaderEdits, HeaderEditor } from './header-edits.ts';
import type { HeaderEdits } from './header-edits.ts';

const onlySet: ReadonlySet<string> = new Set();

/**
 * `responseHeaders`: removes, renames, sets and adds fields of the answer on its way back, in this order; the gateway's
 * own answers included, where they come from a later middleware or from the upstream being away.
 */
export const responseHeaders: MiddlewareDefinition<HeaderEdits> = {
  type: 'responseHeaders',
  check: (config) => checkHeaderEdits(config, onlySet),
  create: (config) => new ResponseHeaders(config),
};

class ResponseHeaders implements Middleware {
  private readonly editor: HeaderEditor;

  constructor(edits: HeaderEdits) {
    this.editor = new HeaderEditor(edits);
  }

  response(_exchange: Exchange, response: ResponseHead): undefined {
    this.editor.apply(response.headers);
    return undefined;
  }

  responseExtras(fields: HeaderList): void {
    this.editor.strip(fields);
  }

  decide(): Decision {
    return { outcome: 'continue', notes: this.editor.describe().map((note) => `response: ${note}`) };
  }
}
