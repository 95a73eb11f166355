import { Option } from 'commander';
import type { LogLevel } from '../snapshot/messages.ts';
import { fromVariable } from './env-option.ts';
import type { Settings } from './settings.ts';
import {
  checkAddress,
  parseFileCount,
  parseFileSize,
  parsePath,
  parseTime,
  parseWorkers,
} from './setting-values.ts';

/** What commander makes of the options below. */
export interface ServeOptions {
  readonly config?: readonly string[];
  readonly admin: string;
  readonly adminTokenFile?: string;
  readonly adminOpenReads?: true;
  readonly probes?: string;
  readonly workers: number | 'auto';
  readonly modulesDir?: string;
  readonly stateDir?: string;
  readonly shadow?: readonly string[];
  readonly strict?: true;
  readonly maxFileSize: number;
  readonly maxFiles: number;
  readonly logLevel: LogLevel;
  readonly logFormat?: 'json' | 'pretty';
  readonly accessLog?: true;
  readonly shutdownDelay: number;
  readonly drainTimeout: number;
}

interface ServeOption {
  readonly flags: string;
  readonly env: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** The value, and how it is written. */
  readonly fallback?: readonly [value: unknown, text?: string];
}

/** Every setting of `serve`, in the order of the help and of docs/operations.md. */
const table: readonly ServeOption[] = [
  {
    flags: '--config <paths...>',
    env: 'MGATEWAY_CONFIG',
    description: 'files or directories of resources (the variable: separated by commas)',
  },
  {
    flags: '--admin <address>',
    env: 'MGATEWAY_ADMIN',
    description: 'metrics, probes and the API; port 0: any free one',
    parse: checkAddress,
    fallback: ['127.0.0.1:9901'],
  },
  {
    flags: '--admin-token-file <file>',
    env: 'MGATEWAY_ADMIN_TOKEN_FILE',
    description: 'holds the bearer token of rollback and resume; without it nothing can be changed',
    parse: parsePath,
  },
  {
    flags: '--admin-open-reads',
    env: 'MGATEWAY_ADMIN_OPEN_READS',
    description: 'let the API and the page be read without a token on an address that is not a loopback one',
  },
  {
    flags: '--probes <address>',
    env: 'MGATEWAY_PROBES',
    description: 'metrics and probes alone once more, for the kubelet and Prometheus',
    parse: checkAddress,
  },
  {
    flags: '--workers <number>',
    env: 'MGATEWAY_WORKERS',
    description: 'threads that serve traffic, or auto; more than one needs Node 22.12',
    parse: parseWorkers,
    fallback: ['auto'],
  },
  {
    flags: '--modules-dir <directory>',
    env: 'MGATEWAY_MODULES_DIR',
    description: 'where modules of your own middleware may be; without it none are loaded',
    parse: parsePath,
  },
  {
    flags: '--state-dir <directory>',
    env: 'MGATEWAY_STATE_DIR',
    description: 'keeps the last accepted documents over restarts, for a start with a broken file',
    parse: parsePath,
  },
  {
    flags: '--shadow <paths...>',
    env: 'MGATEWAY_SHADOW',
    description:
      'files or directories of a second configuration: says what of live traffic it would change, and serves nothing of it',
  },
  {
    flags: '--strict',
    env: 'MGATEWAY_STRICT',
    description: 'end with exit code 1 if the first configuration has any problem',
  },
  {
    flags: '--max-file-size <size>',
    env: 'MGATEWAY_MAX_FILE_SIZE',
    description: 'a larger file of resources is a problem and is not read',
    parse: parseFileSize,
    fallback: [64 * 2 ** 20, '64MiB'],
  },
  {
    flags: '--max-files <number>',
    env: 'MGATEWAY_MAX_FILES',
    description: 'of a directory only so many files are read, the first by name; a warning says so',
    parse: parseFileCount,
    fallback: [100_000],
  },
  {
    flags: '--log-level <level>',
    env: 'MGATEWAY_LOG_LEVEL',
    description: 'least severe level that is logged',
    choices: ['error', 'warn', 'info', 'debug'],
    fallback: ['info'],
  },
  {
    flags: '--log-format <format>',
    env: 'MGATEWAY_LOG_FORMAT',
    description: 'how log lines look (default: pretty on a terminal, else json)',
    choices: ['json', 'pretty'],
  },
  {
    flags: '--access-log',
    env: 'MGATEWAY_ACCESS_LOG',
    description: 'a line on standard output for every request',
  },
  {
    flags: '--shutdown-delay <duration>',
    env: 'MGATEWAY_SHUTDOWN_DELAY',
    description: 'after SIGTERM: not ready, but still serving, for this long',
    parse: parseTime,
    fallback: [5_000, '5s'],
  },
  {
    flags: '--drain-timeout <duration>',
    env: 'MGATEWAY_DRAIN_TIMEOUT',
    description: 'then: time for what is under way to finish',
    parse: parseTime,
    fallback: [30_000, '30s'],
  },
];

export function serveOptions(): readonly Option[] {
  return table.map(({ flags, env, description, parse, choices, fallback }) => {
    const isSwitch = !flags.includes(' ');
    // commander takes a switch's variable as set whatever it says: see `isOn`.
    const option = new Option(flags, isSwitch ? `${description} (env: ${env})` : description);
    if (!isSwitch) fromVariable(option, env);
    if (choices !== undefined) option.choices(choices);
    if (fallback !== undefined) option.default(...fallback);
    if (parse !== undefined) option.argParser((text: string) => parse(text));
    return option;
  });
}

/** What is already counted, split and switched out of `options` is given beside them. */
export function toSettings(
  options: ServeOptions,
  found: Pick<Settings, 'config' | 'shadow' | 'workers' | 'strict' | 'accessLog' | 'adminOpenReads'>,
): Settings {
  return {
    ...found,
    admin: options.admin,
    adminTokenFile: options.adminTokenFile,
    probes: options.probes,
    modulesDir: options.modulesDir,
    stateDir: options.stateDir,
    maxFileBytes: options.maxFileSize,
    maxFiles: options.maxFiles,
    logLevel: options.logLevel,
    logFormat: options.logFormat,
    shutdownDelayMs: options.shutdownDelay,
    drainTimeoutMs: options.drainTimeout,
  };
}
