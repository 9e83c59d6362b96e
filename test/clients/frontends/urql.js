/* urql 6. */
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { retryExchange } from '@urql/exchange-retry';

export function createUrql({ url, authorization, schema }) {
  return new Client({
    url,
    preferGetMethod: false,
    // Subscriptions over Server-Sent Events.
    fetchSubscriptions: true,
    fetchOptions: { headers: { authorization } },
    exchanges: [
      cacheExchange({
        // The introspection, which tells the cache what implements UserError.
        schema,
        resolvers: { Ticket: { messages: relayPagination() } },
        updates: { Mutation: { addTicketMessage: showMessage } },
      }),
      retryExchange({
        maxNumberAttempts: 5,
        // No answer, busy (429) or away (502 to 504). Give mutations an idempotencyKey in their input.
        retryIf: ({ response }) => [undefined, 429, 502, 503, 504].includes(response?.status),
      }),
      fetchExchange,
    ],
  });
}

/** A new message changes pages that the payload does not contain, so all pages of its ticket are reloaded. */
function showMessage({ addTicketMessage: result }, _arguments, cache) {
  if (!result.ticket) return;
  for (const { fieldName, arguments: given } of cache.inspectFields(result.ticket))
    if (fieldName === 'messages') cache.invalidate(result.ticket, fieldName, given);
}
