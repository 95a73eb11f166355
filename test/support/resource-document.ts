/** A resource document of any kind: `spec` is YAML, indented by nothing. */
export function resourceDocument(kind: string, name: string, spec: string): string {
  const lines = spec.split('\n').filter((line) => line.trim() !== '');
  return [
    'apiVersion: mgateway.dev/v1alpha1',
    `kind: ${kind}`,
    `metadata: { name: ${name} }`,
    'spec:',
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
