import { toFieldValue } from '../../routing/field-value.ts';
import type { HeaderList } from '../../routing/header-list.ts';
import { claimAt, claimText } from '../claims.ts';
import type { Claims } from '../claims.ts';
import { compileStrip } from '../field-spellings.ts';
import { isFieldValue } from '../field-text.ts';

export interface ClaimHeaders {
  /** Removes what the client sent under these names, in any spelling an upstream may take for them. */
  readonly strip: (headers: HeaderList) => void;
  /**
   * The fields for these claims: name, value, name, value, …; a missing claim has none. Undefined if a value cannot be sent
   * as it is: escaping or cutting it could make it another user's.
   */
  fieldsOf(claims: Claims): readonly string[] | undefined;
}

export function compileClaimHeaders(claimsToHeaders: Readonly<Record<string, string>>): ClaimHeaders {
  const entries = Object.entries(claimsToHeaders);
  return {
    strip: compileStrip(entries.map(([, header]) => header)),
    fieldsOf(claims) {
      const fields: string[] = [];
      for (const [claim, header] of entries) {
        const text = claimText(claimAt(claims, claim));
        if (text === undefined) continue;
        if (!isFieldValue(text)) return undefined;
        fields.push(header, toFieldValue(text));
      }
      return fields;
    },
  };
}
