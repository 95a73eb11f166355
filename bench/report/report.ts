/** What a scenario found: one row for each thing measured. */
export interface Report {
  /** Also the name of its files. */
  readonly name: string;
  readonly title: string;
  /** What one must know to read the figures. */
  readonly notes: readonly string[];
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
  /** Key of the column that the chart shows. */
  readonly chart?: string;
}

export interface Column {
  readonly key: string;
  /** With the unit. */
  readonly title: string;
  readonly digits: number;
}

export interface Row {
  readonly name: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly remark?: string;
}

export interface Goal {
  readonly text: string;
  readonly figure: number;
  /** `figure` is good up to here (or from here on, with `atLeast`). */
  readonly limit: number;
  readonly atLeast?: true;
}

export function isMet({ figure, limit, atLeast }: Goal): boolean {
  return atLeast === true ? figure >= limit : figure <= limit;
}
