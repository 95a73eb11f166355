import type { Html } from './html.ts';
import { html } from './html.ts';

/** An object of an answer; what it holds is looked at field by field, since a page must show what it can. */
export type Row = Readonly<Record<string, unknown>>;

export interface Column {
  readonly title: string;
  readonly cell: (row: Row) => Html | string;
  /** Of a word or two: never broken. */
  readonly short?: true;
}

/** A page is for a person: the API has the rest. */
const maxRows = 500;
const maxCharacters = 300;

/** A table of the first rows; `isBad`: in the colour of problems. */
export function table(
  rows: readonly Row[],
  columns: readonly Column[],
  isBad: (row: Row) => boolean = () => false,
): Html {
  if (rows.length === 0) return html`<p>none</p>`;
  const head = columns.map(({ title }) => html`<th>${title}</th>`);
  const body = rows.slice(0, maxRows).map((row) => {
    const cells = columns.map(
      ({ cell, short }) => html`<td${short === true ? html` class="short"` : ''}>${cell(row)}</td>`,
    );
    return html`<tr${isBad(row) ? html` class="bad"` : ''}>${cells}</tr>\n`;
  });
  const more = rows.length > maxRows ? html`<p>and ${rows.length - maxRows} more</p>` : html``;
  return html`<div class="wide">
      <table>
        <thead>
          <tr>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>
    ${more}`;
}

/** Names and values, one pair a line. */
export function pairs(entries: readonly (readonly [name: string, value: string])[]): Html {
  return html`<dl>
    ${entries.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd> `,
    )}
  </dl>`;
}

/** A column of one field as it is. */
export function field(title: string, name: string = title, short?: true): Column {
  return { title, cell: (row) => text(row[name]), ...(short === true && { short }) };
}

/** What is no text is shown as JSON, what is long in part. */
export function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  return whole.length > maxCharacters ? `${whole.slice(0, maxCharacters)}…` : whole;
}

/** One line each. */
export function lines(items: readonly (Html | string)[]): Html {
  return html`${items.map((item) => html`<div>${item}</div>`)}`;
}

/** Unix seconds → ISO 8601. */
export function timeText(seconds: unknown): string {
  const isTime = typeof seconds === 'number' && Math.abs(seconds) < 8.64e12;
  return isTime ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z') : '';
}

/** The rows of the list that an answer holds under a name. */
export function rowsOf(value: unknown, name: string): readonly Row[] {
  const list = isRow(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isRow) : [];
}

/** The texts of such a list. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
