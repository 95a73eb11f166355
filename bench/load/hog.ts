/** Keeps a core busy for a share of the time, as the argument says (0 to 1), in turns of a few milliseconds. */
const share = Number(process.argv[2]);
const turnMs = 20;

function turn(): void {
  const until = performance.now() + share * turnMs;
  while (performance.now() < until);
  setTimeout(turn, (1 - share) * turnMs);
}

turn();
