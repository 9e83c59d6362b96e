import { type Config, ConfigError, readConfig } from '../../../config.ts';
import type { Environment } from '../../command.ts';
import { count } from '../../output.ts';
import { type CheckResult, off, type SettingCheck } from './check.ts';
import { databaseChecks } from './database.ts';
import { mailChecks } from './mail.ts';
import { tryStore } from './store.ts';

/**
 * Yields the checks of the settings, and of what they lead to: database, blob store, mail servers, outbox,
 * JWT keys, scanner, trusted documents and receiver of traces. Run each before taking the next one, because
 * later checks depend on it. If the settings are invalid, yields only one failed check for each mistake.
 * Modules are loaded when a check runs.
 */
export async function* checksOf(env: Environment): AsyncGenerator<SettingCheck> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.message.split('\n')) yield settingCheck(line);
    return;
  }
  yield { name: 'settings', run: async () => warningsOf(config) };
  if (config.explorer && config.production) yield { name: 'EXPLORER', run: tryExplorer };
  const desk = yield* databaseChecks(config);
  yield { name: 'BLOBS_URL', run: () => tryStore(config, desk) };
  yield* mailChecks(config, desk);
  yield { name: 'JWT_JWKS_URL', run: () => tryKeys(config) };
  yield { name: 'CLAMD_URL', run: () => tryScanner(config) };
  yield { name: 'TRUSTED_DOCUMENTS', run: () => tryDocuments(config) };
  yield { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', run: () => tryTraces(config) };
}

const settingCheck = (line: string): SettingCheck => {
  const [, name = 'settings', wrong = line] = /^(\w+): (.*)$/.exec(line) ?? [];
  return { name, run: async () => ({ result: 'failed', detail: wrong }) };
};

const warningsOf = ({ warnings, production }: Config): CheckResult =>
  warnings.length > 0
    ? { result: 'warning', detail: warnings.join('; ') }
    : {
        result: 'ok',
        detail: production ? 'valid' : 'valid; embedded database, not for production',
      };

async function tryExplorer(): Promise<string> {
  const { whyNotBuilt } = await import('../../../dev/explorer/build.ts');
  const missing = whyNotBuilt();
  if (missing !== undefined) throw new Error(missing);
  return 'GraphiQL is served at /graphql';
}

async function tryKeys({ jwt }: Config): Promise<string | CheckResult> {
  if (jwt === undefined) return off('JWTs are not accepted');
  const { fetchKeySet } = await import('../../../auth/jwt/key-set.ts');
  const response = await reached(fetchKeySet(jwt.jwksUrl, { signal: AbortSignal.timeout(5000) }));
  if (response.status !== 200) throw new Error(`${jwt.jwksUrl} answers ${response.status}`);
  const { keys } = (await response.json().catch(() => ({}))) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0)
    throw new Error(`${jwt.jwksUrl} did not return a list of keys`);
  return count(keys.length, 'key');
}

async function tryScanner({ clamd }: Config): Promise<string | CheckResult> {
  if (clamd === undefined) return off('files are not scanned');
  const { pingScanner } = await import('../../../scan/clamd.ts');
  await pingScanner(clamd);
  return 'clamd answers';
}

async function tryDocuments({ trustedDocuments: path }: Config): Promise<string | CheckResult> {
  if (path === undefined) return off('all documents are accepted');
  const { readTrustedDocuments } = await import('../../../graphql/execute/trusted-documents.ts');
  readTrustedDocuments(path);
  return `${path} can be read`;
}

/**
 * Sends an empty list of spans. A refusal for want of a credential still proves that the address is right.
 */
async function tryTraces({ tracesUrl }: Config): Promise<string | CheckResult> {
  if (tracesUrl === undefined) return off('traces are not exported');
  const url = `${tracesUrl.replace(/\/+$/, '')}/v1/traces`;
  const headers = { 'content-type': 'application/json' };
  const options = { method: 'POST', headers, body: '{"resourceSpans":[]}' };
  const { status } = await reached(fetch(url, { ...options, signal: AbortSignal.timeout(5000) }));
  if (status === 404 || status >= 500) throw new Error(`${url} answers ${status}`);
  return `${url} answers`;
}

/** Node's fetch says "fetch failed", and its cause says why. */
const reached = (fetched: Promise<Response>): Promise<Response> =>
  fetched.catch((error: Error) => {
    throw error.cause instanceof Error ? error.cause : error;
  });
