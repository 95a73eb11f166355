import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Codes of Node that our code looks at. */
const nodeCodes = new Set(['ERR_STREAM_PREMATURE_CLOSE']);
const code = /\bERR_[A-Z0-9]+(?:_[A-Z0-9]+)*\b/g;

describe('docs/errors.md', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(ERR_\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];

  it('has one row for each code in the sources, and no others', () => {
    const used = new Set<string>();
    for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      for (const [name] of text.matchAll(code)) if (!nodeCodes.has(name)) used.add(name);
    }
    const documented = rows.map(([, name]) => name);
    expect(documented).to.have.lengthOf(new Set(documented).size);
    expect([...documented].sort()).to.deep.equal([...used].sort());
    expect(used.size).to.be.greaterThan(30);
  });

  it('says what each means and what to do', () => {
    for (const [row, , status = '', meaning = '', todo = ''] of rows) {
      expect(status.trim(), row).to.match(/^(\d{3}|any|–)$/);
      expect(meaning.trim(), row).to.match(/\.$/);
      expect(todo.trim(), row).to.match(/[.?]$/);
    }
  });
});
