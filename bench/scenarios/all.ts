import { full, plain } from './proxy.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [plain, full];
