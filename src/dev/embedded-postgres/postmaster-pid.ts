import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { commandLineOf } from './process-command-line.ts';
import { socketPath } from './socket-directory.ts';

/** The server that holds a data directory, according to its postmaster.pid. */
export interface Holder {
  /** The server's process id. */
  readonly pid: number;
  /** Directory of its Unix socket; empty if it is not known yet. */
  readonly socketDirectory: string;
  /** Whether postmaster.pid says that it accepts connections. */
  readonly ready: boolean;
  /**
   * `serving`: the server runs and its gateway does, or it was started without one; or its socket accepts
   * connections, though its process is not visible from this container. `ending`: its gateway is gone, so it
   * is about to end. `gone`: there is no such server, though another process, or a zombie, may have its
   * process id.
   */
  readonly state: 'serving' | 'ending' | 'gone';
  /** Process id of the gateway that started it; undefined if something else did. */
  readonly owner: number | undefined;
}

/**
 * The setting in a server's command line that contains its gateway's process id. The server copies it to
 * postmaster.opts some time after it holds the directory.
 */
export const ownerSetting = 'ticketwire.owner';

/**
 * Reads postmaster.pid and postmaster.opts of a data directory, and finds out whether that server runs: by
 * the command line of its process, or else by connecting to its socket.
 * @returns undefined when there is no postmaster.pid, or it has no process id yet
 */
export async function readHolder(data: string): Promise<Holder | undefined> {
  const lines = read(join(data, 'postmaster.pid')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const command = commandLineOf(pid);
  const isVisible = command !== undefined && /postgres/.test(command) && command.includes(data);
  // A server writes postmaster.pid before postmaster.opts.
  const owner = ownerIn(isVisible ? command : read(join(data, 'postmaster.opts')));
  const socketDirectory = lines[4] ?? '';
  return {
    pid,
    socketDirectory,
    ready: lines[7]?.trim() === 'ready',
    owner,
    state: await stateOf(isVisible, owner, socketDirectory),
  };
}

const ownerIn = (command: string): number | undefined =>
  Number(command.match(/ticketwire\.owner=(\d+)/)?.[1]) || undefined;

async function stateOf(
  isVisible: boolean,
  owner: number | undefined,
  socketDirectory: string,
): Promise<Holder['state']> {
  if (isVisible) return owner === undefined || commandLineOf(owner) !== undefined ? 'serving' : 'ending';
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
