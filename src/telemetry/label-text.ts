/**
 * Labels as they stand between the braces of the text format, in the order of `names`: `route="a/b",code="200"`.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 */
export function labelText(names: readonly string[], labels: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name of names) {
    text += `${text === '' ? '' : ','}${name}="${escapeLabelValue(labels[name] ?? '')}"`;
  }
  return text;
}

function escapeLabelValue(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
