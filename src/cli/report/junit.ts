/** One thing that was checked. */
export interface JunitCase {
  /** Shown as its group: a file, a kind. */
  readonly group: string;
  readonly name: string;
  readonly file?: string;
  readonly line?: number | undefined;
  /** Empty: it holds. */
  readonly failures: readonly { readonly message: string; readonly at: string }[];
  /** Said beside it. */
  readonly notes?: readonly string[];
}

/** JUnit XML as build servers read it: one suite, a testcase for each thing that was checked. */
export function renderJunit(suite: string, cases: readonly JunitCase[]): string {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const counts = `tests="${cases.length}" failures="${failed}" errors="0" skipped="0"`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="mgateway" ${counts}>`,
    `  <testsuite name="${xml(suite)}" ${counts}>`,
    ...cases.flatMap(caseLines),
    '  </testsuite>',
    '</testsuites>',
    '',
  ];
  return lines.join('\n');
}

function caseLines({ group, name, file, line, failures, notes = [] }: JunitCase): readonly string[] {
  const place =
    (file === undefined ? '' : ` file="${xml(file)}"`) + (line === undefined ? '' : ` line="${line}"`);
  const open = `    <testcase classname="${xml(group)}" name="${xml(name)}"${place}`;
  if (failures.length === 0 && notes.length === 0) return [`${open}/>`];
  return [
    `${open}>`,
    // A testcase has one failure; the others stand in its text.
    ...(failures.length === 0
      ? []
      : [
          `      <failure message="${xml(failures[0]?.message ?? '')}">${xml(
            failures.map(({ at, message }) => `${at} ${message}`).join('\n'),
          )}</failure>`,
        ]),
    ...(notes.length === 0 ? [] : [`      <system-out>${xml(notes.join('\n'))}</system-out>`]),
    '    </testcase>',
  ];
}

const entities: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** Also without what XML 1.0 cannot hold at all (§2.2). */
function xml(text: string): string {
  return text
    .replace(
      /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '\ufffd',
    )
    .replace(/[<>&"\n]/g, (char) => entities[char] ?? char);
}
