import type { MiddlewareDefinition } from './contract.ts';
import { checkHeaderEdits, compileHeaderEdits, describeHeaderEdits } from './header-edits.ts';
import type { HeaderEdits } from './header-edits.ts';

const onlySet: ReadonlySet<string> = new Set();

/**
 * `responseHeaders`: removes, renames, sets and adds fields of the answer on its way back, in this order; the gateway's
 * own answers included, where they come from a later middleware or from the upstream being away.
 */
export const responseHeaders: MiddlewareDefinition<HeaderEdits> = {
  type: 'responseHeaders',
  check: (config) => checkHeaderEdits(config, onlySet),
  create(config) {
    const edit = compileHeaderEdits(config);
    const notes = describeHeaderEdits(config).map((note) => `response: ${note}`);
    return {
      response(_exchange, response) {
        edit(response.headers);
      },
      decide: () => ({ outcome: 'continue', notes }),
    };
  },
};
