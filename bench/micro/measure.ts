import { median } from '../load/percentile.ts';

export interface Measured {
  readonly name: string;
  /** Median over the batches. */
  readonly nanoseconds: number;
}

const batches = 9;
const batchMs = 60;

/** Time of one call: batches long enough for the clock, after some to warm up. `run` gets the number of the call. */
export async function measure(name: string, run: (call: number) => unknown): Promise<Measured> {
  let calls = 1;
  let call = 0;
  const batch = async (): Promise<number> => {
    const begun = performance.now();
    for (let i = 0; i < calls; i++) {
      const result = run(call++);
      // Only what is a promise is waited for: most of what is measured makes none.
      if (result instanceof Promise) await result;
    }
    return performance.now() - begun;
  };
  for (let ms = await batch(); ms < batchMs && calls < 1e7; ms = await batch()) {
    calls = Math.max(calls + 1, Math.ceil(calls * Math.min(10, batchMs / Math.max(ms, 0.001))));
  }
  const times: number[] = [];
  for (let i = 0; i < batches; i++) times.push((await batch()) / calls);
  return { name, nanoseconds: median(times) * 1e6 };
}
