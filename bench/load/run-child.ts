import { spawn } from 'node:child_process';
import type { Closing } from '../process/closing.ts';

/** Runs a program to its end and resolves with what it printed; rejects with its complaint if it fails. */
export function runChild(command: string, args: readonly string[], closing: Closing): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command}: ${stderr.trim() || `ended with ${code ?? 'a signal'}`}`));
    });
    closing.add(() => child.kill('SIGKILL'));
  });
}
