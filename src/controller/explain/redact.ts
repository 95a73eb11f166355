import { decodeQueryText } from '../../routing/query.ts';
import { redactFields, redactText } from '../../telemetry/redaction.ts';

/** A value under the name that it was sent by: no secret and no token is ever shown. */
export function redactNamed(name: string, value: string): string {
  return String(redactFields({ [name]: value })[name]);
}

export function redactQuery(query: string): string {
  if (query === '') return query;
  return query
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 0) return redactText(pair);
      const value = pair.slice(equals + 1);
      const shown = redactNamed(decodeQueryText(pair.slice(0, equals)), value);
      return `${pair.slice(0, equals)}=${shown}`;
    })
    .join('&');
}

/** What a middleware says of itself: `sets authorization: Basic …` must not show what it sets. */
export function redactNote(note: string): string {
  const field = /^((?:sets|adds)(?: query)? )([^:=\s]+)(: |=)(.*)$/s.exec(note);
  if (field === null) return redactText(note);
  const [, verb = '', name = '', sign = '', value = ''] = field;
  return `${verb}${name}${sign}${redactNamed(name, value)}`;
}
