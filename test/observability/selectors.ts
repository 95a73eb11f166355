export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** `metric{matchers}` as it stands in an expression. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Parts {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `on`, `without`, `ignoring`. */
  readonly grouping: readonly string[];
}

/** Every other word is taken for the name of a metric. */
const keywords = new Set(
  'by on without ignoring group_left group_right and or unless bool offset inf nan'.split(' '),
);

const token = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|[{}()]|[=!<>~]+|\S/g;

/** A small reader of PromQL: which series an expression selects, and by which labels it groups. */
export function readExpression(expr: string): Parts {
  const tokens = [...expr.matchAll(token)].map(([text]) => text).filter((text) => !text.startsWith('['));
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const word = tokens[at] ?? '';
    if (!/^[a-zA-Z_:]/.test(word)) continue;
    if (['by', 'on', 'without', 'ignoring'].includes(word)) {
      at += 2;
      for (; tokens[at] !== ')'; at++) if (tokens[at] !== ',') grouping.push(tokens[at] ?? '');
      continue;
    }
    if (keywords.has(word) || tokens[at + 1] === '(') continue;
    // `sum by (…) (…)`: an aggregation, whose name is followed by its grouping.
    if (tokens[at + 1] === 'by' || tokens[at + 1] === 'without') continue;
    const matchers: Matcher[] = [];
    if (tokens[at + 1] === '{') {
      at += 2;
      while (tokens[at] !== '}') {
        const [label = '', operator = '', quoted = ''] = tokens.slice(at, at + 3);
        matchers.push({ label, operator, value: JSON.parse(quoted) as string });
        at += tokens[at + 3] === ',' ? 4 : 3;
      }
    }
    selectors.push({ metric: word, matchers });
  }
  return { selectors, grouping };
}

export interface Sample {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The series of a scrape (text format 0.0.4). */
export function readScrape(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, metric, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (metric === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)];
    return [
      {
        metric,
        labels: Object.fromEntries(
          pairs.map(([, name = '', value = '""']) => [name, JSON.parse(value) as string]),
        ),
      },
    ];
  });
}

export function matches({ metric, labels }: Sample, selector: Selector): boolean {
  if (metric !== selector.metric) return false;
  return selector.matchers.every(({ label, operator, value }) => {
    const found = labels[label] ?? '';
    const same = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(found) : found === value;
    return operator.startsWith('!') ? !same : same;
  });
}
