// helm/mgateway/README.md: prose (chart-readme.md), and a table of what the comments in values.yaml say.
import { parse } from 'yaml';

/**
 * A value is described by the comment right above it, from `# --` on; a described mapping stands for all beneath it.
 * @param {string} prose with a line `<!-- values -->`
 * @param {string} values text of values.yaml
 */
export function renderChartReadme(prose, values) {
  const rows = describe(values).map(
    ({ path, value, words }) => `| \`${path}\` | ${cell(value)} | ${words.replaceAll('|', '\\|')} |`,
  );
  const table = ['| Value | Default | |', '|---|---|---|', ...rows].join('\n');
  return `<!-- Generated from values.yaml and scripts/generate/chart-readme.md by scripts/generate.mjs. Do not edit. -->\n${prose.replace('<!-- values -->', table)}`;
}

function describe(values) {
  const parsed = parse(values);
  const rows = [];
  /** Keys above the line, with their indents; `covered`: described as a whole. */
  let above = [];
  let words;
  for (const [index, line] of values.split('\n').entries()) {
    const comment = /^ *# ?(.*)$/.exec(line);
    if (comment) {
      const begins = /^-- (.*)$/.exec(comment[1]);
      if (begins) words = begins[1];
      else if (words !== undefined) words += ` ${comment[1]}`;
      continue;
    }
    const key = /^( *)([A-Za-z]\w*):(.*)$/.exec(line);
    if (key) {
      const indent = key[1].length;
      above = above.filter((one) => one.indent < indent);
      const path = [...above.map((one) => one.key), key[2]];
      const value = path.reduce((at, name) => at?.[name], parsed);
      const covered = above.some((one) => one.covered);
      if (words !== undefined) rows.push({ path: path.join('.'), value, words });
      else if (!covered && key[3].trim() !== '') {
        throw new Error(`values.yaml:${index + 1}: ${path.join('.')} has no comment that begins with "# --"`);
      }
      above.push({ indent, key: key[2], covered: covered || words !== undefined });
    }
    words = undefined;
  }
  return rows;
}

function cell(value) {
  const json = JSON.stringify(value);
  return json === '""' ? '' : `\`${json}\``;
}
