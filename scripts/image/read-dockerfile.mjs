/**
 * The stages of a Dockerfile: `{ base, name, steps: [{ word, text, flags, words }] }`. An instruction that is not known is an
 * error, so that what is proved is the whole file.
 * @param {string} text
 */
export function readDockerfile(text) {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages = [];
  for (const line of lines) {
    const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (!known.has(word)) throw new Error(`Dockerfile: not an instruction that can be proved: ${line}`);
    if (word === 'FROM') {
      const [, base, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest);
      stages.push({ base, name, steps: [] });
      continue;
    }
    const flags = [...rest.matchAll(/(?:^|\s)--([a-z-]+)=(\S+)(?=\s)/g)].map(([, key, value]) => [
      key,
      value,
    ]);
    const bare = word === 'RUN' ? rest : rest.replace(/^(--[a-z-]+=\S+\s+)+/, '');
    stages.at(-1).steps.push({
      word,
      text: bare,
      flags: word === 'RUN' ? {} : Object.fromEntries(flags),
      words: wordsOf(bare),
    });
  }
  return stages;
}

const known = new Set(
  'FROM WORKDIR COPY RUN ARG LABEL ENV USER EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(' '),
);

/** Exec form (a JSON list, after CMD in a HEALTHCHECK), or words; the shell form of what runs is refused. */
function wordsOf(text) {
  const list = /^(?:CMD\s+)?(\[.*\])$/.exec(text)?.[1];
  return list === undefined ? text.split(/\s+/) : JSON.parse(list);
}
