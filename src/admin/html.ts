/** Markup whose values are already escaped. */
export interface Html {
  readonly html: string;
}

/** Builds markup; every value that is not Html itself is escaped, also inside attributes in double quotes. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const pieces = parts.flatMap((part, i) => [part, i < values.length ? markup(values[i] ?? '') : '']);
  return { html: pieces.join('') };
}

function markup(value: string | number | Html | readonly Html[]): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(value);
  if ('html' in value) return value.html;
  return value.map((one) => one.html).join('');
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
