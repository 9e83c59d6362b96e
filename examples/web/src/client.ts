import { cacheExchange, createClient, fetchExchange } from 'urql';

/** One client for each sign-in: what one person saw is not another's. */
export const clientFor = (authorization: string) =>
  createClient({
    url: '/graphql',
    preferGetMethod: false,
    // Subscriptions over Server-Sent Events.
    fetchSubscriptions: true,
    fetchOptions: { headers: { authorization } },
    exchanges: [cacheExchange, fetchExchange],
  });

export const basic = (login: string, password: string): string =>
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${login}:${password}`)))}`;
