import type { HeaderList } from '../../routing/header-list.ts';
import { claimAt, claimText } from '../claims.ts';
import type { Claims } from '../claims.ts';
import { isFieldValue, toFieldValue } from '../field-text.ts';
import { canonical } from './config.ts';

export interface ClaimHeaders {
  /** Removes what the client sent under these names, in any spelling an upstream may take for them. */
  strip(headers: HeaderList): void;
  /**
   * The fields for these claims: name, value, name, value, …; a missing claim has none. Undefined if a value cannot be sent
   * as it is: escaping or cutting it could make it another user's.
   */
  fieldsOf(claims: Claims): readonly string[] | undefined;
}

export function compileClaimHeaders(claimsToHeaders: Readonly<Record<string, string>>): ClaimHeaders {
  const entries = Object.entries(claimsToHeaders);
  const names = new Set(entries.map(([, header]) => canonical(header)));
  const lengths = new Set([...names].map((name) => name.length));
  return {
    strip({ raw }) {
      if (names.size === 0) return;
      for (let i = raw.length - 2; i >= 0; i -= 2) {
        const name = raw[i] as string;
        if (lengths.has(name.length) && names.has(canonical(name))) raw.splice(i, 2);
      }
    },
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
