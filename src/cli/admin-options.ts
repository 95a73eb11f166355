import { Option } from 'commander';
import { fromVariable } from './env-option.ts';

/** What every command has that asks a running gateway. */
export interface AdminOptions {
  readonly admin: string;
  readonly tokenFile?: string;
}

/** The same variables as those of `serve`, so that in its container neither needs to be given. */
export function adminOption(): Option {
  const option = new Option('--admin <url>', 'admin address of the gateway, as HOST:PORT or a URL');
  return fromVariable(option, 'MGATEWAY_ADMIN').default('http://127.0.0.1:9901');
}

export function tokenOption(): Option {
  const option = new Option('--token-file <file>', 'holds the bearer token');
  return fromVariable(option, 'MGATEWAY_ADMIN_TOKEN_FILE');
}
