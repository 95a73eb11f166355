import { availableParallelism } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import type { ExplainOptions } from './explain.ts';
import { adminOption, tokenOption } from './admin-options.ts';
import type { AdminOptions } from './admin-options.ts';
import type { DiffOptions } from './diff.ts';
import type { ProgramIo } from './program-io.ts';
import { serveOptions, toSettings } from './serve-options.ts';
import type { ServeOptions } from './serve-options.ts';
import { checkTime, parseGeneration, readSwitch } from './setting-values.ts';
import type { RollbackOptions } from './rollback.ts';
import type { ShadowOptions } from './shadow.ts';
import type { StatusOptions } from './status.ts';
import type { RoutesOptions } from './routes.ts';
import type { Settings } from './settings.ts';
import type { TestOptions } from './test.ts';
import type { ValidateOptions } from './validate.ts';
import { describeVersion, readVersion } from './version.ts';
import { countWorkers } from './worker-count.ts';

/** Good, something found or failed, not understood. */
const exitCodes = { good: 0, findings: 1, usage: 2 } as const;

/** Headings of the help. */
const groups = {
  serve: 'Serve:',
  before: 'Before a change, from files:',
  running: 'Of a gateway that runs (--admin HOST:PORT):',
} as const;

const helpEnd = `
What is wrong right now:  mgateway status
Why a request fails:      mgateway explain --admin 127.0.0.1:9901 "GET https://host/path"
Back to what was served:  mgateway rollback GENERATION --token-file FILE   (status lists generations)

Exit codes: 0 good, 1 problems or differences, 2 not understood.
\`mgateway COMMAND --help\` tells more of each command.`;

/**
 * Runs the command named by `args` (without the program's own name) and resolves with the exit code. What a command
 * needs is loaded when it runs.
 */
export async function runProgram(args: readonly string[], io: ProgramIo): Promise<number> {
  let exitCode: number = exitCodes.good;
  const program = new Command('mgateway')
    .description(
      'An API gateway whose routes are Kubernetes-style YAML resources, reloaded without a restart',
    )
    .version(readVersion(), '--version', 'print the version number alone')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', helpEnd);

  const serve = program
    .command('serve')
    .helpGroup(groups.serve)
    .usage('--config <paths...> [options]')
    .description('serve the routes of a directory, and follow its changes')
    // Refused below, with what was meant.
    .allowExcessArguments()
    .action(async (options: ServeOptions) => {
      const { args: words } = serve;
      if (words.length > 0) serve.error(`error: serve takes paths as an option: --config ${words.join(' ')}`);
      const settings = settingsOf(serve, options, io);
      const { runServe } = await import('./serve.ts');
      exitCode = await runServe(settings, io);
    });
  for (const option of serveOptions()) serve.addOption(option);

  program
    .command('validate')
    .helpGroup(groups.before)
    .description('check files and directories of resources, as serve would; - is standard input')
    .argument('<paths...>', 'files and directories')
    .option('--offline', 'need no secrets: references to them are taken as they are', false)
    .addOption(outputOption(['text', 'json', 'sarif', 'junit']))
    .action(async (paths: readonly string[], options: ValidateOptions) => {
      const { runValidate } = await import('./validate.ts');
      exitCode = await runValidate(paths, options, io);
    });

  program
    .command('test')
    .helpGroup(groups.before)
    .description('run the RouteTests and Guards of files and directories, as before every swap')
    .argument('<paths...>', 'files and directories')
    .addOption(outputOption(['text', 'json', 'junit']))
    .action(async (paths: readonly string[], options: TestOptions) => {
      const { runTest } = await import('./test.ts');
      exitCode = await runTest(paths, options, io);
    });

  program
    .command('explain')
    .helpGroup(groups.before)
    .description('say what becomes of a request and why; nothing is sent to an upstream')
    .argument('<request...>', '"GET https://host/path", or a curl command line in quotes')
    .option('--config <path>', 'file or directory to decide by; may be given again', collect)
    .option('--admin <host:port>', 'ask the gateway that runs with this admin listener instead')
    .addOption(tokenOption())
    .option('-H, --header <line>', 'a request header, "name: value"; may be given again', collect)
    .option('--claims <json>', 'claims that stand in for a verified token: {"sub": "7"}')
    .addOption(outputOption())
    .action(async (words: readonly string[], options: ExplainOptions) => {
      const { runExplain } = await import('./explain.ts');
      exitCode = await runExplain(words, options, io);
    });

  program
    .command('schema')
    .helpGroup(groups.before)
    .description('print the JSON Schema of a kind, or one of all kinds, for editors')
    .argument('[kind]', 'Route, Upstream, …')
    .action(async (kind: string | undefined) => {
      const { runSchema } = await import('./schema.ts');
      exitCode = runSchema(kind, io);
    });

  program
    .command('routes')
    .helpGroup(groups.before)
    .description('print the routes of files and directories in the order in which they are asked')
    .argument('[paths...]', 'files and directories')
    .option('--config <path...>', 'the same, as serve takes them')
    .addOption(outputOption())
    .action(
      async (paths: readonly string[], options: RoutesOptions & { readonly config?: readonly string[] }) => {
        const all = [...paths, ...(options.config ?? [])];
        if (all.length === 0) program.error('error: nothing to read: give PATH... or --config PATH');
        const { runRoutes } = await import('./routes.ts');
        exitCode = await runRoutes(all, options, io);
      },
    );

  program
    .command('diff')
    .helpGroup(groups.before)
    .description('say what differs by meaning between two configurations')
    .argument('<old>', 'directory or file')
    .argument('<new>', 'directory or file')
    .option('--requests <file>', 'JSON lines of method, url, headers: which of them are decided differently')
    .addOption(outputOption())
    .action(async (from: string, to: string, options: DiffOptions) => {
      const { runDiff } = await import('./diff.ts');
      exitCode = await runDiff({ from, to }, options, io);
    });

  program
    .command('status')
    .helpGroup(groups.running)
    .description('say what a running gateway serves, and what is wrong with it')
    .addOption(adminOption())
    .addOption(tokenOption())
    .addOption(outputOption())
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import('./status.ts');
      exitCode = await runStatus(options, io);
    });

  program
    .command('shadow')
    .helpGroup(groups.running)
    .description('say what of the live traffic of a running gateway its --shadow configuration would change')
    .addOption(adminOption())
    .addOption(tokenOption())
    .addOption(outputOption())
    .action(async (options: ShadowOptions) => {
      const { runShadow } = await import('./shadow.ts');
      exitCode = await runShadow(options, io);
    });

  program
    .command('health')
    .helpGroup(groups.running)
    .description('exit with 0 if a running gateway is ready, else with 1')
    .addOption(adminOption())
    .action(async (options: AdminOptions) => {
      const { runHealth } = await import('./health.ts');
      exitCode = await runHealth(options, io);
    });

  program
    .command('rollback')
    .helpGroup(groups.running)
    .description('have a running gateway serve an older generation, until its source changes or resume')
    .argument(
      '<generation>',
      'number of a generation, as status and /api/v1/generations tell',
      parseGeneration,
    )
    .option('--for <duration>', 'resume by itself after this time, for example 30m', checkTime)
    .addOption(adminOption())
    .addOption(tokenOption())
    .action(async (generation: number, options: RollbackOptions) => {
      const { runRollback } = await import('./rollback.ts');
      exitCode = await runRollback(generation, options, io);
    });

  program
    .command('resume')
    .helpGroup(groups.running)
    .description('have a running gateway serve its source again')
    .addOption(adminOption())
    .addOption(tokenOption())
    .action(async (options: AdminOptions) => {
      const { runResume } = await import('./resume.ts');
      exitCode = await runResume(options, io);
    });

  program
    .command('version')
    .description('print the version')
    .addOption(outputOption())
    .action(({ output }: OutputOptions) => {
      io.stdout.write(describeVersion(output));
    });

  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const asked = ['commander.helpDisplayed', 'commander.version'].includes(error.code);
    return asked ? exitCodes.good : exitCodes.usage;
  }
}

/** For options that may be given again: a list of words after one would swallow the arguments behind it. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

interface OutputOptions {
  readonly output: 'text' | 'json';
}

function outputOption(formats: readonly string[] = ['text', 'json']): Option {
  return new Option('--output <format>', 'how the answer looks').choices(formats).default('text');
}

/** Ends the command with a usage error where settings do not fit this machine or each other. */
function settingsOf(command: Command, options: ServeOptions, { env }: ProgramIo): Settings {
  const pathsOf = (name: 'config' | 'shadow'): readonly string[] => {
    const given = options[name] ?? [];
    // A variable holds one text, so several paths in it are separated.
    return command.getOptionValueSource(name) === 'env' ? splitPaths(given) : given;
  };
  const config = pathsOf('config');
  if (config.length === 0) command.error('error: nothing to serve: give --config PATH (or MGATEWAY_CONFIG)');
  try {
    return toSettings(options, {
      config,
      shadow: pathsOf('shadow'),
      workers: countWorkers(options.workers, {
        nodeVersion: process.versions.node,
        platform: process.platform,
        parallelism: availableParallelism(),
      }),
      strict: options.strict ?? readSwitch(env, 'MGATEWAY_STRICT'),
      adminOpenReads: options.adminOpenReads ?? readSwitch(env, 'MGATEWAY_ADMIN_OPEN_READS'),
      accessLog: options.accessLog ?? readSwitch(env, 'MGATEWAY_ACCESS_LOG'),
    });
  } catch (error) {
    return command.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function splitPaths(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(',')).filter((path) => path !== '');
}
