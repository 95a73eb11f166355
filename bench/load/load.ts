import type { Closing } from '../process/closing.ts';
import { which } from '../process/which.ts';
import { generate } from './generate.ts';
import type { LoadOrder, LoadResult } from './order.ts';
import { runWrk } from './wrk.ts';

/** As many requests as come back, a fixed number at a time (closed loop): wrk where it is installed, else our own. */
export async function runLoad(order: LoadOrder, closing: Closing): Promise<LoadResult> {
  const wrk = which('wrk');
  return wrk === undefined ? generate({ ...order, rate: 0 }, closing) : runWrk(wrk, order, closing);
}

export function loadProgram(): string {
  return which('wrk') === undefined ? 'own generator (Node)' : 'wrk';
}
