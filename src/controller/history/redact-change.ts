import type { FieldChange } from '../../diff/field-changes.ts';
import { redactNote } from '../explain/redact.ts';
import { redactFields } from '../../telemetry/redaction.ts';

/** A changed field as it may be shown: what its name, or its look, gives away as a secret is not. */
export function redactChange({ path, from, to }: FieldChange): FieldChange {
  const name = nameOf(path);
  const shown = (value: unknown): unknown => {
    const plain = redactFields({ [name]: value })[name];
    return typeof plain === 'string' ? redactNote(plain) : plain;
  };
  return {
    path,
    ...(from !== undefined && { from: shown(from) }),
    ...(to !== undefined && { to: shown(to) }),
  };
}

/** `config.set.authorization`, `config.set["x-token"]`, `config.cookies[0]`: the last name that is no index. */
function nameOf(path: string): string {
  const [, bracketed, plain] = /(?:\["(.*)"\]|([^.[\]]+))(?:\[\d+\])*$/.exec(path) ?? [];
  return bracketed ?? plain ?? 'value';
}
