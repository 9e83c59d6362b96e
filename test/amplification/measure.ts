import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { forgetPeak, memoryOf } from '../crash/support/process-status.ts';

/** A request, and what is read of its answer: all of it unless said otherwise. */
export interface Asked {
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: 'GET';
  readonly path?: string;
  /** Bytes of the answer after which the caller goes away: a stream has no end. */
  readonly leaveAfter?: number;
  /** The answer is not read at all while this many probes are answered. */
  readonly unreadFor?: number;
}

export interface Measured {
  readonly status: number;
  /** Bytes of the answer. */
  readonly answer: number;
  /** CPU that all threads of the gateway used until the answer had arrived, milliseconds. */
  readonly cpuMs: number;
  /** The most CPU that its main thread used between a probe and the answer to it, milliseconds. */
  readonly stallMs: number;
  /** The most bytes by which its memory grew. */
  readonly grown: number;
}

/** CPU of a process, and of its main thread, milliseconds. */
const cpuOf = (pid: number) => {
  const ns = (task: string) => Number(readFileSync(`/proc/${pid}/${task}schedstat`, 'latin1').split(' ')[0]);
  return { ofMain: ns(`task/${pid}/`) / 1e6 };
};

function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Sends one request while probes check that the gateway responds. */
export async function measure(url: string, pid: number, asked: Asked): Promise<Measured> {
  forgetPeak(pid);
  const before = memoryOf(pid).resident;
  const cpuBefore = ticksOf(pid);
  const probes = new Probes(url, pid);
  const { status, answer } = await ask(url, asked, probes);
  const stallMs = await probes.end();
  return {
    ...{ status, answer, stallMs },
    cpuMs: ticksOf(pid) - cpuBefore,
    grown: Math.max(0, memoryOf(pid).peak - before),
  };
}

function ask(url: string, asked: Asked, probes: Probes): Promise<{ status: number; answer: number }> {
  const { body, headers, method = 'POST', path = '/graphql', leaveAfter = Infinity, unreadFor } = asked;
  return new Promise((resolve, reject) => {
    const req = request(url + path, { method, headers, agent: false }, async (res) => {
      const status = res.statusCode!;
      let answer = 0;
      if (unreadFor !== undefined) {
        await probes.answered(unreadFor);
        res.destroy();
        return resolve({ status, answer });
      }
      res.on('data', (chunk: Buffer) => {
        answer += chunk.length;
        if (answer >= leaveAfter) res.destroy();
      });
      res.once('close', () => resolve({ status, answer }));
    });
    req.once('error', reject);
    req.end(method === 'GET' ? undefined : body);
  });
}

/** GET /health/live, one after the other. */
class Probes {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #pid: number;
  readonly #over: Promise<void>;
  #ending = false;
  #answered = 0;
  #longest = 0;

  constructor(url: string, pid: number) {
    this.#url = `${url}/health/live`;
    this.#pid = pid;
    this.#over = this.#go();
  }

  async #go(): Promise<void> {
    while (!this.#ending) {
      const sent = cpuOf(this.#pid).ofMain;
      await this.#probe();
      this.#longest = Math.max(this.#longest, cpuOf(this.#pid).ofMain - sent);
      this.#answered += 1;
    }
    this.#agent.destroy();
  }

  #probe(): Promise<void> {
    return new Promise((resolve, reject) => {
      request(this.#url, { agent: this.#agent }, (res) => res.resume().once('end', resolve))
        .once('error', reject)
        .end();
    });
  }

  /** Resolves when this many more were answered. */
  async answered(count: number): Promise<void> {
    const enough = this.#answered + count;
    while (this.#answered < enough) await new Promise((resolve) => setImmediate(resolve));
  }

  /** @returns the longest wait of a probe, in CPU of the thread that answers it, milliseconds */
  async end(): Promise<number> {
    await this.answered(1);
    this.#ending = true;
    await this.#over;
    return this.#longest;
  }
}
