import { large } from './large.ts';
import { memory } from './memory.ts';
import { full, plain } from './proxy.ts';
import { reload } from './reload.ts';
import { scale, scaleOf } from './scale.ts';
import type { Scenario } from './scenario.ts';
import { scrape } from './scrape.ts';
import { shadow } from './shadow.ts';
import { start } from './start.ts';
import { tailReload } from './tail-reload.ts';
import { tail } from './tail.ts';
import { websocket } from './websocket.ts';
import { workers } from './workers.ts';

export const scenarios: readonly Scenario[] = [
  plain,
  full,
  scale,
  scaleOf(1_000),
  scaleOf(10_000),
  scaleOf(100_000),
  reload,
  memory,
  scrape,
  large,
  websocket,
  tail,
  tailReload,
  workers,
  shadow,
  start,
];
