import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';

export interface Call {
  readonly url: string;
  readonly mode: string;
  readonly file: string;
  readonly type: string;
}

export interface Client {
  readonly name: string;
  /** The program and its arguments; undefined when the client knows no such way. */
  command(call: Call): readonly string[] | undefined;
}

/** Debian's names of all of them. */
export const packages = [
  'php-cli php-curl php-xml default-jdk-headless libhttpclient-java python3 libwww-perl ruby curl wget',
  'mono-mcs mono-runtime libmono-system-net-http4.0-cil libmono-system-net-http-webrequest4.0-cil',
];

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const script =
  (...start: string[]) =>
  ({ url, mode, file, type }: Call) => [...start, url, mode, file, type];
const jars = ['httpclient', 'httpcore', 'commons-logging', 'commons-codec'].map(
  (name) => `/usr/share/java/${name}.jar`,
);

interface Candidate extends Client {
  /** Ends without an error where the client is installed; programs are compiled by it. */
  readonly probe: readonly string[];
}

function candidates(made: string): Candidate[] {
  const java = (name: string, library: string): Candidate => ({
    name,
    probe: jars.every((jar) => existsSync(jar))
      ? ['javac', '-cp', jars.join(':'), '-d', made, here('Client.java')]
      : ['libhttpclient-java'],
    command: script('java', '-cp', [made, ...jars].join(':'), 'Client', library),
  });
  const exe = join(made, 'client.exe');
  const mono = (name: string, library: string): Candidate => ({
    name,
    probe: ['mcs', '-r:System.Net.Http.dll', `-out:${exe}`, here('Client.cs')],
    command: script('mono', exe, library),
  });
  return [
    {
      name: 'PHP (curl; streams for XML)',
      probe: ['php', '-r', 'curl_version(); simplexml_load_string("<a/>");'],
      command: script('php', here('client.php')),
    },
    { name: 'Python', probe: ['python3', '--version'], command: script('python3', here('client.py')) },
    { name: 'Perl LWP', probe: ['perl', '-MLWP', '-e1'], command: script('perl', here('client.pl')) },
    { name: 'Ruby Net::HTTP', probe: ['ruby', '-v'], command: script('ruby', here('client.rb')) },
    java('Java HttpURLConnection', 'url'),
    java('Java HttpClient', 'jdk'),
    java('Apache HttpClient 4', 'apache'),
    mono('Mono HttpWebRequest', 'request'),
    mono('Mono HttpClient', 'client'),
    { name: 'curl', probe: ['curl', '--version'], command: curl },
    { name: 'wget', probe: ['wget', '--version'], command: wget },
  ];
}

function curl({ url, mode, file, type }: Call): string[] {
  const challenged = mode === 'challenge' || mode === 'expect';
  const body =
    mode === 'expect'
      ? ['-X', 'POST', '-T', file]
      : mode === 'big'
        ? ['-X', 'POST', '-T', file, '-H', 'Transfer-Encoding: chunked']
        : ['--data-binary', `@${file}`];
  const expect = mode === 'expect' ? ['-H', 'Expect: 100-continue', '--expect100-timeout', '20'] : [];
  const sign = [challenged ? '--anyauth' : '--basic', '-u', 'operator:operator'];
  return [
    'curl',
    '-sS',
    '-H',
    `Content-Type: ${type}`,
    ...sign,
    ...expect,
    ...body,
    '-w',
    ' %{http_code}',
    url,
  ];
}

/** It knows neither Expect nor chunks. */
function wget({ url, mode, file, type }: Call): string[] | undefined {
  if (mode === 'expect') return undefined;
  const sign = mode === 'challenge' ? [] : ['--auth-no-challenge'];
  return [
    'wget',
    '-q',
    '-O',
    '-',
    ...sign,
    '--user=operator',
    '--password=operator',
    `--header=Content-Type: ${type}`,
    `--post-file=${file}`,
    url,
  ];
}

export async function findClients(made: string): Promise<{ clients: Client[]; missing: string[] }> {
  const clients: Client[] = [];
  const missing: string[] = [];
  const probed = new Map<string, boolean>();
  for (const candidate of candidates(made)) {
    const key = candidate.probe.join(' ');
    if (!probed.has(key)) probed.set(key, await isInstalled(candidate.probe));
    if (probed.get(key)) clients.push(candidate);
    else missing.push(candidate.name);
  }
  return { clients, missing };
}

async function isInstalled(probe: readonly string[]): Promise<boolean> {
  const { succeeded } = await runProgram(probe);
  return succeeded;
}
