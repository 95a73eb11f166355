import type { MiddlewareDefinition } from './contract.ts';
import { checkHeaderEdits, compileHeaderEdits, describeHeaderEdits } from './header-edits.ts';
import type { HeaderEdits } from './header-edits.ts';

/** A request without Host is no request; `set` is how an upstream gets another one. */
const onlySet = new Set(['host']);

/** `requestHeaders`: removes, renames, sets and adds fields of the request before it is forwarded, in this order. */
export const requestHeaders: MiddlewareDefinition<HeaderEdits> = {
  type: 'requestHeaders',
  check: (config) => checkHeaderEdits(config, onlySet),
  create(config) {
    const edit = compileHeaderEdits(config);
    const notes = describeHeaderEdits(config);
    return {
      request(exchange) {
        edit(exchange.requestHeaders);
        return undefined;
      },
      decide(exchange) {
        edit(exchange.requestHeaders);
        return { outcome: 'continue', notes };
      },
    };
  },
};
