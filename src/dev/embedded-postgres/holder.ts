import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { commandLineOf } from './process-table.ts';
import { socketPath } from './socket-directory.ts';

/** What a data directory's postmaster.pid says. */
export interface Holder {
  readonly pid: number;
  readonly socketDirectory: string;
  /** It accepts connections. */
  readonly ready: boolean;
  /**
   * `serving`: a server whose gateway lives; `ending`: its gateway is gone, so it will be, too;
   * `gone`: no such server, though another process, or a zombie, may have its pid.
   */
  readonly state: 'serving' | 'ending' | 'gone';
  /** Pid of the gateway that started it, as the server's command line has it. */
  readonly owner: number | undefined;
}

/**
 * The setting by which a server carries its gateway's pid: written to postmaster.opts once it holds the
 * directory.
 */
export const ownerSetting = 'ticketwire.owner';

export async function readHolder(data: string): Promise<Holder | undefined> {
  const lines = read(join(data, 'postmaster.pid')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const owner =
    Number(read(join(data, 'postmaster.opts')).match(/ticketwire\.owner=(\d+)/)?.[1]) || undefined;
  const socketDirectory = lines[4] ?? '';
  return {
    pid,
    socketDirectory,
    ready: lines[7]?.trim() === 'ready',
    owner,
    state: await stateOf(pid, owner, data, socketDirectory),
  };
}

async function stateOf(
  pid: number,
  owner: number | undefined,
  data: string,
  socketDirectory: string,
): Promise<Holder['state']> {
  const command = commandLineOf(pid);
  const isPostmaster = command !== undefined && /postgres/.test(command) && command.includes(data);
  if (isPostmaster) return owner === undefined || commandLineOf(owner) !== undefined ? 'serving' : 'ending';
  // In another container with the same volume its pid means nothing here, but its socket answers.
  return socketDirectory !== '' && (await answers(socketPath(socketDirectory))) ? 'serving' : 'gone';
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
