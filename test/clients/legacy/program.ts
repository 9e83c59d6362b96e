import { execFile } from 'node:child_process';

const patienceMs = 60_000;

/** Runs a program to its end. @returns what it printed; `error` also says why it could not be run */
export function runProgram([file, ...args]: readonly string[]): Promise<{
  out: string;
  error: string;
  succeeded: boolean;
}> {
  return new Promise((resolve) => {
    execFile(
      file!,
      args,
      { timeout: patienceMs, maxBuffer: 1 << 24, env: { ...process.env, LC_ALL: 'C.UTF-8', http_proxy: '' } },
      (failure, out, error) =>
        resolve({ out, error: error || (failure?.message ?? ''), succeeded: failure === null }),
    );
  });
}
