import { type Config, ConfigError } from '../config.ts';
import { readTrustedDocuments, type TrustedDocuments } from '../graphql/execute/trusted-documents.ts';
import { createMultipartReader } from '../graphql/http/multipart/read-multipart.ts';
import { createGraphqlServer } from '../graphql/server.ts';
import type { Foundation } from './foundation.ts';

/** Files in one multipart request, at most. */
const maxFiles = 100;

/**
 * The GraphQL server: `handle` answers HTTP requests, `execute` runs our own queries and mutations in this
 * process, for the legacy endpoint, `streams` counts the open streams, and `cutStreams` must be called before
 * the web server is closed, which would wait for them.
 */
export type GraphqlServer = ReturnType<typeof createGraphqlServer>;

/**
 * Creates the GraphQL server with the configured limits and trusted documents, and plugins of `overrides`.
 * @throws ConfigError when TRUSTED_DOCUMENTS cannot be read or has no documents; Error for a plugin with a
 *   hook that would never be called
 */
export function createGraphql({ config, log, overrides }: Foundation): GraphqlServer {
  const { production, limits } = config;
  const { requestBytes, responseBytes, openForms } = limits;
  const multipartBytes = 2 * limits.messageAttachmentsBytes + requestBytes;
  return createGraphqlServer({
    log,
    production,
    responseBytes,
    plugins: overrides.operationPlugins ?? [],
    requestBytes,
    readMultipart: createMultipartReader({ requestBytes, files: maxFiles, multipartBytes, openForms }),
    trusted: trustedDocumentsOf(config),
  });
}

function trustedDocumentsOf({ trustedDocuments: path }: Config): TrustedDocuments | undefined {
  if (path === undefined) return undefined;
  try {
    return readTrustedDocuments(path);
  } catch (error) {
    throw new ConfigError(`TRUSTED_DOCUMENTS: ${(error as Error).message}`, { cause: error });
  }
}
